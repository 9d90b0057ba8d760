package dev.duoka.train.run;

import dev.duoka.base.Percent;
import dev.duoka.base.Plural;
import dev.duoka.data.training.TrainingData;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.device.DevicePeak;
import java.nio.file.Path;
import java.util.Locale;

/** What a session is about to do, in a few lines for people. */
final class RunDescription {
  private RunDescription() {}

  static String of(RunSetup setup, DevicePeak peak, long stepsTaken, Path runDir) {
    ParameterCounts counts = ParameterCounts.of(setup.model());
    return String.format(
        Locale.ROOT,
        "model    %s, %,d parameters (%,d active), %s%n"
            + "data     %,d training tokens%s, %s%n"
            + "devices  %s%s (%s), %s a rank; MFU against %s%n%s"
            + "memory   %s by the dry run of this step%n"
            + "time     %s%n"
            + "batch    %s%n"
            + "steps    %,d to %,d of %,d%n"
            + "run      %s",
        setup.model().architecture().modelType(),
        counts.total(),
        counts.active(),
        setup.config().training().precision().name().toLowerCase(Locale.ROOT),
        setup.data().trainingTokens() - setup.data().paddingTokens(),
        padding(setup.data()),
        setup.data().tokenizer().describe(),
        processes(setup),
        setup.placement().devices(),
        setup.placement().reason(),
        Plural.of(setup.threads(), "CPU thread"),
        peak.source(),
        exchange(setup),
        setup.memory().text(),
        time(setup),
        BatchPlan.of(setup.config()).text(setup.config().parallel().ranks()),
        stepsTaken + 1,
        setup.lastStep(),
        setup.totalSteps(),
        runDir);
  }

  /** Of several ranks. */
  private static String exchange(RunSetup setup) {
    return setup.config().parallel().ranks() == 1
        ? ""
        : String.format("exchange %s%n", ExchangeWays.of(setup));
  }

  private static String time(RunSetup setup) {
    return setup
        .prediction()
        .flatMap(Prediction::step)
        .map(
            step ->
                String.format(
                    Locale.ROOT,
                    "%.3g s a step (%.3g to %.3g) by %s",
                    step.seconds(),
                    step.low(),
                    step.high(),
                    step.source()))
        .orElseGet(
            () ->
                "not predicted here: "
                    + setup.prediction().map(Prediction::whyNoStep).orElse("process 0 says it"));
  }

  private static String processes(RunSetup setup) {
    return setup.processes() == 1 ? "" : setup.processes() + " processes, each like this one: ";
  }

  private static String padding(TrainingData data) {
    return data.paddingTokens() == 0
        ? ""
        : String.format(
            Locale.ROOT,
            " and %,d of padding (%s)",
            data.paddingTokens(),
            Percent.whole((double) data.paddingTokens() / data.trainingTokens()));
  }
}
