package dev.duoka.train.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ByteSize;
import dev.duoka.comm.SingleRank;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.schedule.PipelineSchedules;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StepMemoryTests {
  private static final int LENGTH = 160;

  private static DryRunJob job(
      String preset, Precision precision, Recompute recompute, int ranks, int microBatch) {
    StepSettings settings =
        new StepSettings(
            Presets.named(preset),
            precision,
            recompute,
            LENGTH,
            new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
            0,
            LossScaler.Settings.DEFAULT,
            StepSettings.AuxiliaryLosses.of(Presets.named(preset)));
    return new DryRunJob(settings, ranks, microBatch, 1);
  }

  private static StepMemory onCpu(Recompute recompute, int ranks, int microBatch) {
    StepSettings step = job("tiny-llama", Precision.BF16, recompute, ranks, microBatch).settings();
    // Twice: a step that adds to its gradients takes a little more than one that does not.
    DryRunJob job = new DryRunJob(step, ranks, microBatch, 2);
    return new StepMemory(job, Device.CPU, ranks, List.of(), false);
  }

  /** A CPU has none of our kernels, so that the dry run must not stand for a GPU in 16 bits. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, BF16, NONE",
    "tiny-llama, BF16, FULL",
    "tiny-llama, FP32, NONE",
    "tiny-moe, BF16, NONE",
    "tiny-v2, BF16, SELECTIVE",
    "tiny-v3, BF16, NONE"
  })
  void countsWhatACpuTakes(String preset, Precision precision, Recompute recompute) {
    ComputeThread.prepare(Device.CPU, 1, 1);
    DryRunJob job = job(preset, precision, recompute, 1, 2);
    long counted = StepMemory.of(job, Device.CPU, false).need().bytes();
    MicroBatch batch = MicroBatch.random(2, LENGTH, job.settings().model().vocabSize(), 1);
    StepBatch step = new StepBatch(List.of(batch), 2 * LENGTH, DataState.START, DataState.START);
    try (ThreadLedger mine = ThreadLedger.open(Device.CPU);
        TrainingRank rank = TrainingRank.allocate(new SingleRank(), Device.CPU, job.settings())) {
      WeightInitializer.initialize(rank.model(), 1);
      rank.optimizer().adoptValues();
      rank.step().run(step, 1e-3);
      mine.ledger().resetPeak();
      rank.step().run(step, 1e-3);
      assertThat(counted).isCloseTo(mine.ledger().peakBytes(), Percentage.withPercentage(3));
    }
  }

  @Test
  void aGpuTakesLessThanACpuIn16Bits() {
    DryRunJob job = job("tiny-llama", Precision.BF16, Recompute.NONE, 1, 4);
    assertThat(StepMemory.of(job, Device.cuda(0), false).need().bytes())
        .isLessThan(StepMemory.of(job, Device.CPU, false).need().bytes());
  }

  @Test
  void ranksOfOneDeviceAddUpAndOthersAreBeside() {
    DryRunJob job = job("tiny-llama", Precision.FP32, Recompute.NONE, 2, 1);
    long one = new StepMemory(job, Device.CPU, 1, List.of(), false).need().bytes();
    StepMemory.Beside copy = new StepMemory.Beside("a copy", 77, "Make no copy.");
    StepMemory two = new StepMemory(job, Device.CPU, 2, List.of(copy), false);
    assertThat(two.need().bytes()).isEqualTo(2 * one + 77);
    assertThat(two.need().byOwner()).containsEntry("a copy", 77L);
    assertThat(two.fits(one + 77)).startsWith("This would fit: ").endsWith("). Make no copy.");
  }

  @Test
  void proposesTheLargestMicroBatchThatFits() {
    long two = onCpu(Recompute.NONE, 1, 2).need().bytes();
    String fits = onCpu(Recompute.NONE, 1, 8).fits(two);
    assertThat(fits).startsWith("This would fit: micro-batch 2 (" + ByteSize.text(two) + ")");
    assertThat(onCpu(Recompute.NONE, 1, 8).fits(two - 1)).contains("micro-batch 1 (");
  }

  /** What the run file refuses is not proposed: gradients in bf16 are of one micro-batch. */
  @Test
  void proposesNoMicroBatchesThatCannotBe() {
    StepMemory four = onCpu(Recompute.FULL, 1, 4);
    StateForm few = new StateForm(MomentForm.FP32, true, GradientForm.BF16);
    StepSettings inFewBits =
        four.job().settings().with(new StateSettings(few, Offload.NONE, OffloadUpdate.DEVICE, 0));
    StepMemory whole =
        new StepMemory(new DryRunJob(inFewBits, 1, 4, 1), Device.CPU, 1, List.of(), false);
    assertThat(whole.fits(1)).startsWith("Even this, the least there is, needs ");
    StepSettings ofTable =
        four.job()
            .settings()
            .with(
                new PipelineSettings(
                    PipelineKind.ONE_F_ONE_B,
                    1,
                    List.of(),
                    Optional.of(PipelineSchedules.of(PipelineKind.GPIPE, 2, 1, 2))));
    DryRunJob table = new DryRunJob(ofTable, new Mesh(2, 1, 1, 1, 1, 1), 0, 4, 2);
    assertThat(new StepMemory(table, Device.CPU, 2, List.of(), false).fits(1))
        .startsWith("Even this, the least there is, needs ");
  }

  @Test
  void proposesRecomputeWhereItIsEnough() {
    long full = onCpu(Recompute.FULL, 1, 8).need().bytes();
    assertThat(onCpu(Recompute.NONE, 1, 8).fits(full)).contains("or recompute full (");
    assertThat(onCpu(Recompute.FULL, 1, 8).fits(full - 1)).doesNotContain("recompute full (");
  }

  @Test
  void proposesFewerRanksWhereNothingElseIsEnough() {
    long one = onCpu(Recompute.FULL, 1, 1).need().bytes();
    assertThat(onCpu(Recompute.FULL, 4, 1).fits(one))
        .isEqualTo("This would fit: 1 rank (" + ByteSize.text(one) + ")");
  }

  @Test
  void saysWhatTheLeastNeedsWhereNothingFits() {
    long least = onCpu(Recompute.FULL, 1, 1).need().bytes();
    assertThat(onCpu(Recompute.NONE, 1, 8).fits(least - 1))
        .startsWith("Even micro-batch 1 with recompute full needs " + ByteSize.text(least));
    assertThat(onCpu(Recompute.FULL, 1, 1).fits(least - 1))
        .startsWith("Even this, the least there is, needs " + ByteSize.text(least));
  }

  /** A step that nothing but other states makes smaller. */
  private static StepMemory onGpu(StateSettings states) {
    StepSettings step =
        job("tiny-llama", Precision.BF16, Recompute.FULL, 1, 1).settings().with(states);
    return StepMemory.of(new DryRunJob(step, 1, 1, 1), Device.cuda(0), false);
  }

  private static void requireProposal(StepMemory now, StateSettings then, String words) {
    long bytes = onGpu(then).need().bytes();
    assertThat(bytes).as(words).isLessThan(now.need().bytes());
    assertThat(now.fits(bytes))
        .isEqualTo("This would fit: " + words + " (" + ByteSize.text(bytes) + ")");
  }

  /** Those that the device updates come first: they have the bits of states that stay there. */
  @Test
  void proposesStatesInHostMemoryWhereNothingElseIsEnough() {
    StateSettings device = StateSettings.FULL.with(Offload.OPTIMIZER, OffloadUpdate.DEVICE);
    StateSettings host = StateSettings.FULL.with(Offload.OPTIMIZER, OffloadUpdate.HOST);
    String there = "memory.offload optimizer";
    requireProposal(onGpu(StateSettings.FULL), device, there);
    requireProposal(onGpu(StateSettings.FULL), host, there + " with memory.offload_update host");
    requireProposal(onGpu(device), host, there + " with memory.offload_update host");
    assertThat(onGpu(host).fits(onGpu(host).need().bytes() - 1)).startsWith("Even this, the least");
  }

  @Test
  void proposesAllStatesInHostMemoryWhereAPartIsTooFew() {
    StateSettings device = StateSettings.FULL.with(Offload.OPTIMIZER, OffloadUpdate.DEVICE);
    StateSettings half = device.offloading(0.5);
    requireProposal(onGpu(half), device, "memory.offload optimizer and memory.offload_fraction 1");
    requireProposal(
        onGpu(half),
        StateSettings.FULL.with(Offload.OPTIMIZER, OffloadUpdate.HOST),
        "memory.offload optimizer with memory.offload_update host and memory.offload_fraction 1");
  }

  @Test
  void proposesStatesSharedAmongRanksFirst() {
    StepSettings step = job("tiny-llama", Precision.BF16, Recompute.FULL, 4, 1).settings();
    for (int zero = 1; zero <= 3; zero++) {
      StepMemory shared =
          StepMemory.of(new DryRunJob(step.with(zero), 4, 1, 1), Device.cuda(0), false);
      StepMemory now =
          StepMemory.of(new DryRunJob(step.with(zero - 1), 4, 1, 1), Device.cuda(0), false);
      long bytes = shared.need().bytes();
      assertThat(bytes).isLessThan(now.need().bytes());
      assertThat(now.fits(bytes))
          .as("it takes less, and is the first that fits")
          .isEqualTo("This would fit: parallel.zero " + zero + " (" + ByteSize.text(bytes) + ")");
    }
  }

  /** In fp32 a GPU writes all scores out, and the dry run has to know. */
  @Test
  void countsTheScoresOfAGpuInFp32() {
    DryRunJob job = job("tiny-llama", Precision.FP32, Recompute.NONE, 1, 4);
    assertThat(StepMemory.of(job, Device.cuda(0), false).need().bytes()).isPositive();
  }

  @Test
  void countsAModelThatWrites() {
    GenerationMemory memory =
        new GenerationMemory(Presets.named("tiny-v2"), Dtype.FLOAT32, Device.CPU);
    Map<MemoryOwner, Long> small = memory.run(0, 4, 8);
    Map<MemoryOwner, Long> large = memory.run(0, 4, 80);
    assertThat(large.get(MemoryOwner.WEIGHTS)).isEqualTo(small.get(MemoryOwner.WEIGHTS));
    assertThat(large.get(MemoryOwner.KV_CACHE))
        .isEqualTo(10 * small.getOrDefault(MemoryOwner.KV_CACHE, 0L));
  }
}
