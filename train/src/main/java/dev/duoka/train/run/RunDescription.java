package dev.duoka.train.run;

import dev.duoka.data.training.TrainingData;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePeak;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.schedule.LearningRateSchedule;
import dev.duoka.train.step.ModelFlops;
import java.nio.file.Path;
import java.util.Locale;

/** What a run is about to do, for the ranks and for people. */
record RunDescription(
    RunConfig config,
    ModelConfig model,
    TrainingData data,
    DevicePlacement placement,
    DevicePeak peak,
    int threads) {
  /** What the loop of a rank goes by. */
  static RankTrainer.Plan plan(
      RunConfig config, ModelConfig model, TrainingData data, long lastStep, DevicePeak peak) {
    long totalSteps =
        config.training().length().steps(config.training().tokensPerStep(), data.trainingTokens());
    return new RankTrainer.Plan(
        LearningRateSchedule.of(config.schedule(), config.optimizer(), totalSteps),
        totalSteps,
        lastStep,
        data.validation() == null ? 0 : config.validation().everySteps(),
        config.checkpoint().everySteps(),
        config.checkpoint().atEnd(),
        config.logging().gradientRangeEvery(),
        config.training().tokensPerStep(),
        config.data().sequenceLength(),
        ModelFlops.perToken(model, config.data().sequenceLength()),
        peak.flopsPerSecond());
  }

  /** A few lines for people. */
  String text(long stepsTaken, RankTrainer.Plan plan, Path runDir) {
    ParameterCounts counts = ParameterCounts.of(model);
    return String.format(
        Locale.ROOT,
        "model    %s, %,d parameters (%,d active), %s%n"
            + "data     %,d training tokens, %s%n"
            + "devices  %s (%s), %d CPU threads a rank; MFU against %s%n"
            + "batch    %s%n"
            + "steps    %,d to %,d of %,d%n"
            + "run      %s",
        model.architecture(),
        counts.total(),
        counts.active(),
        config.training().precision(),
        data.trainingTokens(),
        data.tokenizer().describe(),
        placement.devices(),
        placement.reason(),
        threads,
        peak.source(),
        BatchPlan.of(config),
        stepsTaken + 1,
        plan.lastStep(),
        plan.totalSteps(),
        runDir);
  }
}
