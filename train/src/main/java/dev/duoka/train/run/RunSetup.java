package dev.duoka.train.run;

import dev.duoka.comm.Communicator;
import dev.duoka.data.training.TrainingData;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelFlops;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.parallel.plan.TrainedWeights;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.MemoryNeed;
import dev.duoka.train.schedule.LearningRateSchedule;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a session of a run is made of, once everything was checked and the data is there.
 *
 * @param model what is trained
 * @param placement where each rank of this process computes
 * @param ranksHere how many ranks this machine has, of all processes
 * @param memory what a device needs by the dry run of this very step
 * @param data what it is trained on
 * @param prediction what is said of it before it begins; empty where another process says it
 * @param maxSteps where the session ends at the latest, in steps of the whole run
 * @param turns when it may go on
 */
record RunSetup(
    RunConfig config,
    ModelConfig model,
    DevicePlacement placement,
    int ranksHere,
    MemoryNeed memory,
    TrainingData data,
    Optional<Prediction> prediction,
    OptionalLong maxSteps,
    Turns turns) {
  /** Steps of the whole run. */
  long totalSteps() {
    return config
        .training()
        .length()
        .steps(config.training().tokensPerStep(), data.trainingTokens());
  }

  /** Sequences that the whole run trains on. */
  double sequences() {
    return (double) totalSteps()
        * config.training().tokensPerStep()
        / config.data().sequenceLength();
  }

  /** Where this session ends. */
  long lastStep() {
    return Math.min(totalSteps(), maxSteps.orElse(totalSteps()));
  }

  /** How many processes the run has. */
  int processes() {
    return config.parallel().ranks() / placement.devices().size();
  }

  /** CPU threads of each rank. */
  int threads() {
    return config.threadsPerRank(Runtime.getRuntime().availableProcessors(), ranksHere);
  }

  /** What a rank's device reaches at best; on a CPU it is measured. Collective. */
  DevicePeak peak(Device device, Communicator ranks) {
    return device.isCuda()
        ? DevicePeak.ofGpu(placement.names().get(device.index()))
        : DevicePeak.ofCpu(ranks);
  }

  /** What the loop of a rank goes by. */
  LoopSettings loop(DevicePeak peak) {
    return new LoopSettings(
        LearningRateSchedule.of(config.schedule(), config.optimizer(), totalSteps()),
        totalSteps(),
        lastStep(),
        config.validation(),
        data.validation() == null ? 0 : config.validation().everySteps(),
        config.checkpoint().everySteps(),
        config.checkpoint().atEnd(),
        config.logging().gradientRangeEvery(),
        config.training().tokensPerStep(),
        config.data().sequenceLength(),
        ModelFlops.perTokenOfPart(model, config.data().sequenceLength(), trainedShare()),
        peak.flopsPerSecond(),
        peak.isMeasured());
  }

  /** Of the weights, how many are trained; 1 for all. */
  private double trainedShare() {
    boolean all = model.adapter() == null && model.frozen().equals(NamePatterns.NONE);
    return all ? 1 : TrainedWeights.of(model).share();
  }
}
