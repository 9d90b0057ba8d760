package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.meta.MetaCommunicator;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Device;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Who holds and writes what of published models; their shapes alone are looked at. */
class StateShareTests {
  /** The most of an equal share that anybody may hold and write. */
  private static final double MOST = 1.3;

  private static final int LENGTH = 1024;

  static Stream<String> published() {
    return Presets.names().stream().filter(name -> name.startsWith("deepseek"));
  }

  /** Tensors are not divided, so a share may end a half of one too late and begin one too early. */
  @ParameterizedTest
  @MethodSource("published")
  void noProcessWritesMuchMoreThanItsShare(String preset) {
    ModelConfig model = Presets.named(preset);
    StateLayout layout = StateLayout.of(model, model.mtpModules());
    for (int processes : new int[] {1, 2, 3, 4, 6, 8, 16, 32, 64}) {
      List<StateShare> shares = StateShare.of(layout, processes);
      double equal = (double) layout.length() / processes;
      assertThat(shares).hasSize(processes);
      assertThat(shares.stream().mapToLong(StateShare::length).sum()).isEqualTo(layout.length());
      assertThat(shares)
          .as("%s over %d processes", preset, processes)
          .allMatch(share -> share.length() <= Math.max(MOST * equal, equal + largest(share)));
      if (processes <= 16 && shares.stream().allMatch(share -> largest(share) <= equal)) {
        assertThat(shares).allMatch(share -> share.length() <= MOST * equal);
      }
    }
  }

  private static long largest(StateShare share) {
    return share.tensors().stream().mapToLong(CheckpointTensor::elements).max().orElse(0);
  }

  /** Data, tensor, pipeline, expert and context ranks; ZeRO stage. Every rank is allocated. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 8, 1, 1, 1, 1, 1",
    "deepseek-llm-7b, 4, 2, 1, 1, 1, 3",
    "deepseek-llm-7b, 1, 8, 1, 1, 1, 0",
    "deepseek-llm-67b, 2, 2, 2, 1, 1, 1",
    "deepseek-coder-33b, 2, 2, 1, 1, 2, 2",
    "deepseek-v2-lite, 8, 1, 1, 8, 1, 1",
    "deepseek-v2-lite, 2, 2, 1, 4, 2, 3",
  })
  void noRankHoldsMuchMoreThanItsShare(
      String preset, int data, int tensor, int pipeline, int expert, int context, int zero) {
    Layout layout =
        new Layout(
            data,
            tensor,
            pipeline,
            expert,
            context,
            zero,
            tensor,
            1,
            Recompute.NONE,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.BF16,
            Method.FULL);
    DryRunJob job = DryRunJob.of(Presets.named(preset), layout, LENGTH);
    int ranks = layout.gpus();
    long[] held = new long[ranks];
    for (int number = 0; number < ranks; number++) {
      MetaCommunicator world = new MetaCommunicator(number, ranks, ExchangeLedger.NONE);
      try (TrainingRank rank =
          TrainingRank.allocate(job.mesh(), world, Device.META, job.settings())) {
        held[number] = rank.optimizer().slices().stream().mapToLong(StateSlice::length).sum();
      }
    }
    double equal = (double) StateLayout.of(job.settings().model(), 0).length() / ranks;
    assertThat(Arrays.stream(held).mapToDouble(length -> length / equal))
        .as("parts of an equal share")
        .allMatch(part -> part <= MOST);
  }
}
