package dev.duoka.parallel.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.duoka.base.DuokaException;
import dev.duoka.parallel.schedule.Timeline.StageTime;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * For 1 to 8 ranks and up to 64 micro-batches: it ends, holds no more, and idles as long as said.
 */
final class PipelineSchedulesTests {
  private static final int RANKS = 8;
  private static final int MICRO_BATCHES = 64;

  private static double idle(Schedule schedule, int stages, StageTime time) {
    return Timeline.of(schedule, Collections.nCopies(stages, time)).idle(0);
  }

  @Test
  void allForwardAllBackwardHoldsEveryMicroBatch() {
    for (int p = 1; p <= RANKS; p++) {
      for (int m = 1; m <= MICRO_BATCHES; m++) {
        Schedule schedule = PipelineSchedules.allForwardAllBackward(p, m);
        assertThat(ScheduleCheck.check(schedule, m).held()).containsOnly(m);
        StageTime time = new StageTime(1, 1.25, 0.75, 0);
        assertThat(idle(schedule, p, time)).isCloseTo((p - 1) * 3, offset(1e-9));
      }
    }
  }

  @Test
  void oneForwardOneBackwardHoldsAsManyAsRanksFollow() {
    for (int p = 1; p <= RANKS; p++) {
      for (int m = 1; m <= MICRO_BATCHES; m++) {
        Schedule schedule = PipelineSchedules.oneForwardOneBackward(p, m);
        List<Integer> held = ScheduleCheck.check(schedule, m).held();
        for (int rank = 0; rank < p; rank++) {
          assertThat(held.get(rank)).isEqualTo(Math.min(m, p - rank));
        }
        StageTime time = new StageTime(1, 1.25, 0.75, 0);
        assertThat(idle(schedule, p, time)).isCloseTo((p - 1) * 3, offset(1e-9));
      }
    }
  }

  @Test
  void interleavingDividesTheIdleTime() {
    for (int p = 1; p <= RANKS; p++) {
      for (int v = 2; v <= 4; v++) {
        for (int m = p; m <= MICRO_BATCHES; m += p) {
          Schedule schedule = PipelineSchedules.interleaved(p, v, m);
          List<Integer> held = ScheduleCheck.check(schedule, m).held();
          for (int rank = 0; rank < p; rank++) {
            int ahead = 2 * (p - rank - 1) + (v - 1) * p;
            assertThat(held.get(rank)).isEqualTo(Math.min(m * v, ahead + 1));
          }
          StageTime part = new StageTime(1.0 / v, 1.0 / v, 1.0 / v, 0);
          assertThat(idle(schedule, p * v, part)).isCloseTo((p - 1) * 3.0 / v, offset(1e-9));
        }
      }
    }
  }

  @Test
  void zeroBubbleIdlesAThirdAndHoldsNoMore() {
    for (int p = 1; p <= RANKS; p++) {
      for (int m = 1; m <= MICRO_BATCHES; m++) {
        Schedule schedule = PipelineSchedules.zeroBubble(p, m);
        int most = Math.min(m, p);
        assertThat(ScheduleCheck.check(schedule, m).held())
            .as("%d ranks, %d micro-batches", p, m)
            .allMatch(held -> held <= most);
        if (m >= p) {
          StageTime time = new StageTime(1, 1, 1, 0);
          assertThat(idle(schedule, p, time)).as("%d, %d", p, m).isCloseTo(p - 1, offset(1e-9));
        }
      }
    }
  }

  /** With one stage or several a rank, in the time of its own work and of filling the pipeline. */
  @Test
  void forwardPassesAloneIdleOnlyUntilTheFirstArrives() {
    StageTime time = new StageTime(1, 0, 0, 0);
    for (int p = 1; p <= RANKS; p++) {
      for (int v = 1; v <= 3; v++) {
        int ranks = p;
        List<Integer> stages = IntStream.range(0, p * v).mapToObj(it -> it % ranks).toList();
        for (int m = p; m <= MICRO_BATCHES; m += p) {
          Schedule schedule = PipelineSchedules.forwardOnly(stages, p, m);
          assertThat(Timeline.of(schedule, Collections.nCopies(p * v, time)).seconds())
              .as("%d ranks, %d stages a rank, %d micro-batches", p, v, m)
              .isCloseTo(m * v + p - 1, offset(1e-9));
        }
      }
    }
  }

  @Test
  void roundsThatDoNotDivideNameTheNearest() {
    assertThatThrownBy(() -> PipelineSchedules.interleaved(4, 2, 6))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("Nearest valid: 4 or 8");
  }
}
