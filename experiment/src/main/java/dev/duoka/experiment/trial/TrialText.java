package dev.duoka.experiment.trial;

import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Trials for people. */
public final class TrialText {
  private TrialText() {}

  /** A trial, line by line. */
  public static List<String> of(TrialResult trial) {
    List<String> lines = new ArrayList<>();
    lines.add(
        (trial.change().isEmpty() ? "Compared with itself: " : "Tried on ")
            + trial.runFile()
            + ", "
            + trial.steps()
            + " steps of each arm"
            + (trial.first() == 0 ? "" : " after step " + trial.first()));
    trial.changes().forEach(change -> lines.add("  " + change));
    trial
        .cannotRun()
        .ifPresent(reason -> lines.add("The changed run file cannot train here: " + reason));
    trial.judgements().forEach(judgement -> lines.add(of(judgement)));
    trial
        .itself()
        .ifPresent(
            itself -> {
              lines.add("The run file against itself, in the same trial:");
              itself.forEach(judgement -> lines.add(of(judgement)));
            });
    return lines;
  }

  /** One line of a list of trials. */
  public static String line(TrialResult trial) {
    StringBuilder text = new StringBuilder(trial.time().toString().substring(0, 16) + "Z");
    text.append("  ").append(trial.runFile().getFileName()).append("  ");
    text.append(trial.change().isEmpty() ? "(itself)" : String.join(" ", trial.change()));
    text.append("  ").append(word(trial)).append(": ");
    if (trial.cannotRun().isPresent()) {
      return text.append("cannot train").toString();
    }
    List<String> verdicts = new ArrayList<>();
    trial
        .judgements()
        .forEach(
            judgement ->
                verdicts.add(
                    judgement.quantity()
                        + " "
                        + judgement.interval().map(it -> percent(it.estimate()) + " ").orElse("")
                        + judgement.verdict()));
    return text.append(String.join(", ", verdicts)).toString();
  }

  /** What follows, in words. */
  public static String decision(TrialResult trial) {
    return switch (trial.decision()) {
      case KEEP -> "keep";
      case ROLL_BACK -> "roll back";
      case UNDECIDED -> "undecided";
      case NO_REASON -> "no reason to change";
    };
  }

  private static String word(TrialResult trial) {
    return trial.decision() == TrialResult.Decision.UNDECIDED ? "undecided" : decision(trial);
  }

  /** One judgement. */
  public static String of(Judgement judgement) {
    String text =
        String.format(Locale.ROOT, "  %-14s %-16s", judgement.quantity(), judgement.verdict());
    String measured =
        judgement
            .interval()
            .map(interval -> interval(interval) + ", same within ±" + share(judgement.margin()))
            .orElse("");
    String reason = judgement.reason();
    return (text + measured + (reason.isEmpty() || measured.isEmpty() ? "" : "; ") + reason)
        .stripTrailing();
  }

  private static String interval(Interval interval) {
    if (interval.low() == interval.high()) {
      return percent(interval.estimate());
    }
    return percent(interval.estimate())
        + " ["
        + percent(interval.low())
        + ", "
        + percent(interval.high())
        + "]"
        + (interval.seen() < 1 ? ", shows from ±" + share(interval.seen()) + " on" : "");
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%+.2f %%", 100 * share);
  }

  private static String share(double share) {
    return String.format(Locale.ROOT, "%.2f %%", 100 * share);
  }
}
