package dev.duoka.parallel.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScheduleTests {
  @Test
  void oneRankTakesEachMicroBatchForwardAndBackward() {
    assertThat(Schedule.withoutPipeline(2).csv()).isEqualTo("0F0,0B0,0F1,0B1,0REDUCE_GRAD\n");
  }

  @Test
  void stagesSendAndReceiveAtTheirBordersOnly() {
    assertThat(PipelineSchedules.allForwardAllBackward(3, 1).csv())
        .isEqualTo(
            """
            0F0,0SEND_F0,0RECV_B0,0B0,0REDUCE_GRAD
            1RECV_F0,1F0,1SEND_F0,1RECV_B0,1B0,1SEND_B0,1REDUCE_GRAD
            2RECV_F0,2F0,2B0,2SEND_B0,2REDUCE_GRAD
            """);
  }

  @Test
  void theNotationReadsBack() {
    Schedule schedule = PipelineSchedules.allForwardAllBackward(4, 6);
    assertThat(Schedule.parse(schedule.csv())).isEqualTo(schedule);
    // Tables of other programs have empty cells where a rank waits.
    assertThat(Schedule.parse("0F0,,0I0, 0W0 ,").ranks().getFirst())
        .containsExactly(
            new Action(0, Action.Kind.FORWARD, 0),
            new Action(0, Action.Kind.INPUT_GRADIENTS, 0),
            new Action(0, Action.Kind.WEIGHT_GRADIENTS, 0));
  }

  /** As {@code _dump_csv} of torch.distributed.pipelining writes them. */
  @Test
  void cellsOfOtherProgramsAreRead() {
    Schedule schedule =
        Schedule.parse("0UNSHARD,0F0,0F1,(0F2;0B0)OVERLAP_F_B,,0B1,0B2,0REDUCE_GRAD,0RESHARD\n\n");
    assertThat(schedule.csv()).isEqualTo("0F0,0F1,0F2,0B0,0B1,0B2,0REDUCE_GRAD\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"(0F0;0B0)OVERLAP", "(0F0;0X0)OVERLAP_F_B", "UNSHARD", "0UNSHARD1"})
  void halfACellIsRefused(String text) {
    assertThatThrownBy(() -> Schedule.parse(text))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("is no action of a schedule");
  }

  @ParameterizedTest
  @ValueSource(strings = {"F0", "0X1", "0F", "0REDUCE_GRAD1", "0F-1", "0SEND_F", "00", "0F1x"})
  void whatIsNoActionIsNamed(String text) {
    assertThatThrownBy(() -> Action.parse(text))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("'" + text + "'");
  }

  @Test
  void anActionOfNothingCannotBeMade() {
    for (Action.Kind kind : List.of(Action.Kind.FORWARD, Action.Kind.SEND_BACKWARD)) {
      assertThatThrownBy(() -> new Action(0, kind, -1))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
