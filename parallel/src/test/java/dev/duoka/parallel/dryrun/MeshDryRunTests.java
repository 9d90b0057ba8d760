package dev.duoka.parallel.dryrun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.comm.local.LocalRanks;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The dry run of each rank of a mesh books what that rank books in a real step. */
class MeshDryRunTests {
  private static final int SEQUENCES = 2;

  /**
   * The last numbers are how far off it may be, in percent, since messages are taken when hosts
   * come by, and how many blocks lie in a bucket.
   */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 1, 1, 2, 1, 0, NONE, 0, 1",
    "tiny-llama, 2, 1, 1, 1, 2, NONE, 0, 1",
    "tiny-llama, 2, 1, 1, 1, 3, SELECTIVE, 0, 1",
    "tiny-llama, 1, 1, 1, 2, 0, FULL, 2, 1",
    "tiny-v3, 1, 1, 2, 1, 1, SELECTIVE, 0, 1",
    "tiny-v3, 2, 1, 1, 1, 3, FULL, 0, 1",
    "tiny-llama, 1, 2, 1, 1, 0, NONE, 5, 1",
    "tiny-v3, 1, 2, 1, 1, 0, SELECTIVE, 5, 1",
    "tiny-llama, 2, 1, 1, 1, 0, NONE, 0, 2",
    "tiny-llama, 2, 1, 1, 1, 1, NONE, 0, 3",
    "tiny-llama, 2, 1, 1, 1, 2, NONE, 0, 2",
    "tiny-llama, 2, 1, 1, 1, 3, SELECTIVE, 0, 4",
    "tiny-v3, 2, 1, 1, 1, 3, FULL, 0, 2",
    "tiny-v3, 1, 1, 2, 1, 2, NONE, 0, 2"
  })
  void agreesWithARealStep(
      String preset,
      int data,
      int pipeline,
      int tensor,
      int context,
      int zero,
      Recompute recompute,
      int percent,
      int blocks) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, 4, config.mtpModules());
    StepSettings settings =
        TinyRuns.settings(config, Precision.FP32, recompute, zero)
            .with(new PipelineSettings(PipelineKind.ONE_F_ONE_B, 1, List.of()))
            .with(StateSettings.FULL.inBucketsOf(blocks));
    Mesh mesh = new Mesh(pipeline, 1, data, context, tensor, 1);
    Map<Integer, Map<MemoryOwner, Long>> real = real(settings, mesh);
    for (int rank = 0; rank < mesh.size(); rank++) {
      Map<MemoryOwner, Long> dry =
          DryRun.unrolled(new DryRunJob(settings, mesh, rank, SEQUENCES, 4)).peakByOwner();
      Map<MemoryOwner, Long> booked = real.getOrDefault(rank, Map.of());
      if (percent == 0) {
        assertThat(booked).as("rank %d", rank).isEqualTo(dry);
      } else {
        assertThat((double) PhasePeaks.sum(booked))
            .as("rank %d: %s for %s", rank, booked, dry)
            .isCloseTo((double) PhasePeaks.sum(dry), Percentage.withPercentage(percent));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 1, 1, 0, NONE, FP32, true, HOST, 1",
    "tiny-v3, 2, 1, 1, SELECTIVE, BITS8, false, HOST, 1",
    "tiny-v3, 2, 1, 2, NONE, BF16, true, HOST, 1",
    "tiny-llama, 2, 2, 3, FULL, BITS8, false, HOST, 1",
    "tiny-llama, 1, 1, 0, NONE, FP32, true, DEVICE, 1",
    "tiny-v3, 2, 1, 1, SELECTIVE, BITS8, false, DEVICE, 1",
    "tiny-v3, 2, 1, 2, NONE, BF16, true, DEVICE, 1",
    "tiny-llama, 2, 2, 3, FULL, BITS8, true, DEVICE, 1",
    "tiny-llama, 2, 1, 1, NONE, FP32, true, HOST, 2",
    "tiny-v3, 2, 1, 3, FULL, BF16, true, HOST, 2",
    "tiny-llama, 2, 2, 2, SELECTIVE, BITS8, true, DEVICE, 2",
  })
  void agreesWithStatesInHostMemory(
      String preset,
      int data,
      int tensor,
      int zero,
      Recompute recompute,
      MomentForm moments,
      boolean master,
      OffloadUpdate update,
      int blocks) {
    ModelConfig config = TinyRuns.config(preset);
    StateForm form = new StateForm(moments, master, GradientForm.FP32);
    StepSettings settings =
        TinyRuns.settings(config, Precision.BF16, recompute, zero)
            .with(new StateSettings(form, Offload.OPTIMIZER, update, 1).inBucketsOf(blocks));
    Mesh mesh = new Mesh(1, 1, data, 1, tensor, 1);
    Map<Integer, Map<MemoryOwner, Long>> real = real(settings, mesh);
    for (int rank = 0; rank < mesh.size(); rank++) {
      DryRunJob job = new DryRunJob(settings, mesh, rank, SEQUENCES, 4);
      DryRunResult onCpu = DryRunDevice.of(Device.CPU, () -> DryRun.unrolled(job));
      Map<MemoryOwner, Long> booked = real.getOrDefault(rank, Map.of());
      for (MemoryOwner owner : MemoryOwner.values()) {
        // The thread that works on the states has a few temporary numbers of its own.
        assertThat(booked.getOrDefault(owner, 0L))
            .as("%s of rank %d", owner, rank)
            .isCloseTo(
                onCpu.peakByOwner().getOrDefault(owner, 0L),
                within(owner == MemoryOwner.TEMPORARIES ? 64L : 0L));
      }
      DryRunResult onGpu = DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(job));
      if (update == OffloadUpdate.HOST) {
        assertThat(onGpu.hostByOwner())
            .containsKeys(MemoryOwner.OPTIMIZER, MemoryOwner.GRADIENTS, MemoryOwner.WEIGHTS);
        assertThat(onGpu.peakByOwner()).doesNotContainKey(MemoryOwner.OPTIMIZER);
      } else {
        DryRunResult here = without(settings, job);
        assertThat(onGpu.hostByOwner()).containsOnlyKeys(states(here).keySet());
        // Tables of a few numbers for each weight stay on the device.
        states(here)
            .forEach(
                (owner, bytes) ->
                    assertThat((double) onGpu.hostByOwner().getOrDefault(owner, 0L))
                        .as("%s in host memory", owner)
                        .isCloseTo(bytes, Percentage.withPercentage(1)));
        Map<MemoryOwner, Long> beside = new EnumMap<>(onGpu.peakByOwner());
        beside.keySet().removeAll(STATES);
        Map<MemoryOwner, Long> otherwise = new EnumMap<>(here.peakByOwner());
        otherwise.keySet().removeAll(STATES);
        assertThat(beside).isEqualTo(otherwise);
      }
    }
  }

  private static final Set<MemoryOwner> STATES =
      Set.of(MemoryOwner.OPTIMIZER, MemoryOwner.MASTER_WEIGHTS);

  private static Map<MemoryOwner, Long> states(DryRunResult step) {
    Map<MemoryOwner, Long> states = new EnumMap<>(step.peakByOwner());
    states.keySet().retainAll(STATES);
    return states;
  }

  /** The same step whose states are on the device. */
  private static DryRunResult without(StepSettings settings, DryRunJob job) {
    StateSettings kept = settings.states();
    StepSettings here = settings.with(kept.with(Offload.NONE, kept.update()));
    DryRunJob other =
        new DryRunJob(here, job.mesh(), job.rank(), job.microBatch(), job.accumulation());
    return DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(other));
  }

  /** Steps of many forward passes are run with few: their peak is the same. */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 2, 0, ONE_F_ONE_B, 1",
    "tiny-v3, 4, 0, ONE_F_ONE_B, 1",
    "tiny-v3, 4, 2, ONE_F_ONE_B, 1",
    "tiny-v3, 4, 0, ZERO_BUBBLE, 1",
    "tiny-v3, 2, 1, INTERLEAVED, 2"
  })
  void aSteadyStepHasThePeakOfALongOne(
      String preset, int pipeline, int zero, PipelineKind kind, int stagesPerRank) {
    ModelConfig config = TinyRuns.config(preset);
    config = TinyRuns.withLayers(config, 4, config.mtpModules());
    for (Recompute recompute : Recompute.values()) {
      StepSettings settings =
          TinyRuns.settings(config, Precision.BF16, recompute, zero)
              .with(new PipelineSettings(kind, stagesPerRank, List.of()));
      Mesh mesh = new Mesh(pipeline, 1, 2, 1, 1, 1);
      for (DryRunJob job : new DryRunJob(settings, mesh, 0, SEQUENCES, 24).ofStages()) {
        assertThat(job.steady().accumulation()).isLessThan(24);
        assertThat(DryRun.unrolled(job.steady()).peakByOwner())
            .as("%s of stage rank %d", recompute, job.rank())
            .isEqualTo(DryRun.unrolled(job).peakByOwner());
      }
    }
  }

  /** What is in host memory does not depend on what a forward pass keeps. */
  @ParameterizedTest
  @CsvSource({
    "1, 2, 1, NONE, HOST",
    "2, 1, 1, SELECTIVE, HOST",
    "2, 2, 2, FULL, HOST",
    "1, 2, 3, SELECTIVE, HOST",
    "2, 2, 1, FULL, DEVICE",
  })
  void theLeastStepKeepsTheSameInHostMemory(
      int pipeline, int data, int zero, Recompute recompute, OffloadUpdate update) {
    ModelConfig config = TinyRuns.withLayers(TinyRuns.config("tiny-v3"), 4, 0);
    StepSettings settings =
        TinyRuns.settings(config, Precision.BF16, recompute, zero)
            .with(new StateSettings(StateForm.FULL, Offload.OPTIMIZER, update, 1));
    Mesh mesh = new Mesh(pipeline, 1, data, 1, 1, 1);
    for (DryRunJob job : new DryRunJob(settings, mesh, 0, 4, 8).ofStages()) {
      DryRunJob least = job.ofHost();
      assertThat(least.microBatch()).isEqualTo(1);
      assertThat(DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(least)).hostByOwner())
          .isEqualTo(DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(job)).hostByOwner());
    }
  }

  private static Map<Integer, Map<MemoryOwner, Long>> real(StepSettings settings, Mesh mesh) {
    Map<Integer, Map<MemoryOwner, Long>> peaks = new ConcurrentHashMap<>();
    LocalRanks.run(
        mesh.size(),
        world -> {
          ComputeThread.prepare(Device.CPU, 1, world.size());
          try (ThreadLedger mine = ThreadLedger.open(Device.CPU);
              TrainingRank rank = TrainingRank.allocate(mesh, world, Device.CPU, settings)) {
            rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 7));
            for (int step = 0; step < 2; step++) {
              mine.ledger().resetPeak();
              rank.step()
                  .run(
                      TinyRuns.batch(
                          settings.model(),
                          mesh.dataRank(world.rank()),
                          mesh.data(),
                          4,
                          SEQUENCES,
                          step),
                      1e-3);
            }
            peaks.put(world.rank(), mine.ledger().peakByOwner());
          }
        });
    return peaks;
  }
}
