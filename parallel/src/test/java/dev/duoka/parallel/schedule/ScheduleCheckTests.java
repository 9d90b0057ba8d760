package dev.duoka.parallel.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.parallel.schedule.Timeline.StageTime;
import java.util.Collections;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Right tables of others pass, and each planted fault is named. */
final class ScheduleCheckTests {
  private static final String GOOD =
      """
      0F0,0SEND_F0,0F1,0SEND_F1,0RECV_B0,0B0,0RECV_B1,0B1,0REDUCE_GRAD
      1RECV_F0,1F0,1B0,1SEND_B0,1RECV_F1,1F1,1B1,1SEND_B1,1REDUCE_GRAD
      """;

  @Test
  void aRightTablePasses() {
    assertThat(ScheduleCheck.check(Schedule.parse(GOOD), 2).held()).containsExactly(2, 1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // what stands there | what is planted | what is said
        "1B1,|'' | rank 0 at 0B1",
        "0F1,|'' | at 0SEND_F1",
        "0F0,0SEND_F0,0F1,|0F1,0F0,0SEND_F0, | sends to rank 1 for [1RECV_F1, 1RECV_F0]",
        "0F0,0SEND_F0,|0F0, | wait for each other or for what nobody makes",
        "1RECV_F1,|'' | uses what it has not received",
        "0B0,|0B0,0B0, | is there twice",
        "0B0,|0I0, | micro-batch 0 are not there yet",
        "0B1,0REDUCE_GRAD|0REDUCE_GRAD,0B1 | micro-batch 1 are not there yet",
        ",1REDUCE_GRAD|'' | its gradients are never reduced",
        "0RECV_B0,0B0,|0B0,0RECV_B0, | uses what it has not received",
        "0F0,0SEND_F0,|0F0,0SEND_F0,0RECV_F0, | there is no other rank with stage -1",
        "0F0,0SEND_F0,|0F0,0SEND_F0,0F2, | there are only 2 micro-batches",
        "1F0,1B0,1SEND_B0,|1F0,1B0,1SEND_B0,0F2, | has stage 0 on ranks 0 and 1",
        "1REDUCE_GRAD|1REDUCE_GRAD,3F0 | no stage 2",
        "0B0,|0B0,0I0, | this micro-batch went backward before"
      })
  void aPlantedFaultIsNamed(String there, String planted, String said) {
    String bad =
        GOOD.contains(",0SEND_F1") && there.equals("0F0,0SEND_F0,0F1,")
            ? GOOD.replace("0F0,0SEND_F0,0F1,0SEND_F1", "0F1,0SEND_F1,0F0,0SEND_F0")
            : GOOD.replace(there, planted);
    assertThat(bad).isNotEqualTo(GOOD);
    assertThatThrownBy(() -> ScheduleCheck.check(Schedule.parse(bad), 2))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageContaining(said);
  }

  /**
   * A table of computations in the form of torch.distributed.pipelining: two ranks in a V, whose
   * first rank has the first and the last stage (zero bubble V, Qi et al., arXiv:2405.15362).
   */
  @Test
  void aVOfTwoRanksIsLoweredAndPasses() {
    Schedule schedule =
        Schedule.parseComputations(
            """
            0F0,0F1,3F0,3I0,3W0,3F1,3I1,3W1,0I0,0W0,0I1,0W1
            ,1F0,2F0,1F1,2F1,2I0,2W0,1I0,1W0,2I1,2W1,1I1,1W1
            """);
    assertThat(ScheduleCheck.check(schedule, 2).held()).containsExactly(3, 4);
    assertThat(schedule.csv())
        .as("stages 1 and 2 lie on one rank: no message between them")
        .doesNotContain("1SEND_F", "2SEND_B", "2RECV_F", "1RECV_B");
    StageTime time = new StageTime(1, 1, 1, 0);
    Timeline timeline = Timeline.of(schedule, Collections.nCopies(4, time));
    assertThat(timeline.idle(0)).isCloseTo(timeline.seconds() - 12, offset(1e-9));
  }

  @Test
  void messagesTakeTheirTime() {
    Schedule schedule = PipelineSchedules.oneForwardOneBackward(2, 1);
    StageTime slow = new StageTime(1, 1, 1, 0.5);
    assertThat(Timeline.of(schedule, Collections.nCopies(2, slow)).seconds())
        .isCloseTo(2 * 3 + 2 * 0.5, offset(1e-9));
  }

  @Test
  void aTableThatCannotEndIsRefusedWhenItsMessagesAreAdded() {
    assertThatThrownBy(() -> Schedule.parseComputations("0F0,0B0\n1B0,1F0\n"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("the schedule cannot end: rank 0 at 0B0, rank 1 at 1B0");
  }
}
