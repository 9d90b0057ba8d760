package dev.duoka.planner.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.hardware.Basis;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import java.util.Collections;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PipelineIdleTests {
  /** Of equal stages of a second a rank, as the closed forms of the schedules' papers have it. */
  @ParameterizedTest
  @CsvSource({
    "4, 32, ONE_F_ONE_B, 1, NONE, 3",
    "4, 32, GPIPE, 1, NONE, 3",
    "4, 32, INTERLEAVED, 2, NONE, 1.5",
    "4, 64, INTERLEAVED, 4, SELECTIVE, 0.75",
    "8, 32, INTERLEAVED, 2, FULL, 3.5",
    "4, 32, ZERO_BUBBLE, 1, NONE, 1",
    "8, 128, ZERO_BUBBLE, 1, SELECTIVE, 2.3333333",
    "4, 32, ZERO_BUBBLE, 1, FULL, 3",
    "1, 32, ONE_F_ONE_B, 1, NONE, 0"
  })
  void equalStagesWaitAsTheClosedFormSays(
      int pipeline,
      int accumulation,
      PipelineKind kind,
      int stagesPerRank,
      Recompute recompute,
      double idle) {
    Layout layout =
        new Layout(
                1,
                1,
                pipeline,
                1,
                1,
                0,
                1,
                accumulation,
                recompute,
                Offload.NONE,
                LossKind.CHUNKED,
                Precision.BF16,
                Method.FULL)
            .with(new PipelineOrder(kind, stagesPerRank));
    Seconds stage = new Seconds();
    stage.add(Cause.GEMM, 1.0 / stagesPerRank, Basis.EXACT);
    PipelineIdle waits =
        new PipelineIdle(
            layout,
            Collections.nCopies(pipeline * stagesPerRank, stage),
            Collections.nCopies(pipeline * stagesPerRank, TimeModel.shares(layout)));
    assertThat(waits.seconds(1)).isCloseTo(idle, within(1e-6));
  }
}
