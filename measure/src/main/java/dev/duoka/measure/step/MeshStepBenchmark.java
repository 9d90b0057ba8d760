package dev.duoka.measure.step;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExposedTime;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.memory.RankMemory;
import dev.duoka.train.memory.StepMemory;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * Times whole training steps of the ranks of a mesh, as threads, on random tokens: each rank is
 * what it is in a run, without data, metrics and checkpoints.
 */
final class MeshStepBenchmark {
  /** Steps after those that count, in which the exchange is measured. */
  private static final int EXPOSED_STEPS = 3;

  private final MeshStepJob job;
  private final int warmUp;
  private final int steps;

  MeshStepBenchmark(MeshStepJob job, int warmUp, int steps) {
    this.job = job;
    this.warmUp = warmUp;
    this.steps = steps;
  }

  /** Runs all ranks; gives what each measured, in their order. */
  List<RankSteps> run(PlacedRanks ranks) {
    Gpus.begin(ranks.placement().devices());
    requireMemory(ranks.placement());
    Map<Integer, RankSteps> measured = new ConcurrentSkipListMap<>();
    ranks.run((world, device) -> measured.put(world.rank(), run(world, device)));
    return List.copyOf(measured.values());
  }

  private void requireMemory(DevicePlacement placement) {
    for (Device device : new HashSet<>(placement.devices())) {
      int sharing = Collections.frequency(placement.devices(), device);
      new StepMemory(job.of(0), device, sharing, List.of(), job.step().deterministic()).require();
    }
  }

  private RankSteps run(Communicator world, Device device) {
    try (ThreadLedger mine = RankMemory.open(device);
        ExposedTime exposed = new ExposedTime(device)) {
      return run(world.size() == 1 ? world : exposed.over(world), device, mine, exposed);
    } catch (OutOfMemoryException e) {
      StepMemory step =
          new StepMemory(job.of(world.rank()), device, 1, List.of(), job.step().deterministic());
      throw RankMemory.explained(e, world.rank(), world.size(), step);
    }
  }

  private RankSteps run(Communicator world, Device device, ThreadLedger mine, ExposedTime exposed) {
    Determinism.require(job.step().deterministic());
    try (TrainingRank rank = TrainingRank.allocate(job.mesh(), world, device, job.settings())) {
      rank.optimizer().fill(own -> WeightInitializer.initialize(rank.model(), 1, own));
      CountedSteps counted =
          new CountedSteps(rank.step(), job.batches(world.rank()), device, mine.ledger());
      StepBenchmark.Result result = counted.run(warmUp, steps, null);
      List<long[]> loads = counted.loads(rank.model());
      Map<String, Double> alone =
          world.size() == 1 ? Map.of() : counted.exposed(exposed, EXPOSED_STEPS);
      world.agreement().barrier(); // the ranks of a CPU measure its rate together, as they train
      return new RankSteps(device, result, alone, loads, DevicePeak.of(device, world));
    }
  }
}
