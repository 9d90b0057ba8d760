package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;
import java.util.List;

/** Section {@code validation}: what is measured while a run goes on, and what follows from it. */
public record ValidationSettings(
    @Doc(
            value =
                "The validation loss is measured after every so many steps, and always after the"
                    + " last; 0 switches it off.",
            unit = "steps",
            byDefault = "100",
            range = "[0, 1000000000]")
        int everySteps,
    @Doc(
            value =
                "Sequences it is measured on, and as many of each source that has a number of its"
                    + " own; the same ones each time.",
            unit = "sequences",
            byDefault = "64",
            range = "[1, 1000000000]")
        int sequences,
    @Doc(
            value = "Questions with known answers that the model is asked at each validation.",
            byDefault = "[]")
        List<TaskSettings> tasks,
    @Doc(
            value =
                "So many of the held-out chats or texts are answered at each validation; what was"
                    + " expected and what the model writes goes to `answers.jsonl` and the"
                    + " dashboard.",
            unit = "answers",
            byDefault = "0",
            range = "[0, 64]")
        int answers,
    @Doc(
            value = "An answer ends after so many tokens at the latest.",
            unit = "tokens",
            byDefault = "64",
            range = "[1, 4096]")
        int answerTokens,
    @Doc(
            value =
                "What tells the best step: `validation_loss`, the name of a source (its loss) or of"
                    + " a task (its share of right answers), or `accuracy` of pairs.",
            byDefault = "validation_loss")
        String bestBy,
    @Doc(
            value =
                "Whether the checkpoint of the best validation is kept beside the newest ones; one"
                    + " is written whenever a validation is the best so far.",
            byDefault = "false")
        boolean keepBest,
    @Doc(
            value =
                "The run ends when so many validations in a row were no better than the best before"
                    + " them; 0 for never.",
            unit = "validations",
            byDefault = "0",
            range = "[0, 1000000]")
        int stopAfter) {
  /** The name of the loss over all that is held out. */
  public static final String LOSS = "validation_loss";

  /** The name of the share of pairs whose chosen answer has the larger reward. */
  public static final String ACCURACY = "accuracy";

  /** What a run measures by itself, of which no source and no task can have the name. */
  public static final List<String> TAKEN =
      List.of(
          "loss",
          LOSS,
          ACCURACY,
          "reward_chosen",
          "reward_rejected",
          "reward_margin",
          "loss_of_chosen");

  public ValidationSettings {
    tasks = List.copyOf(tasks);
  }

  /** Whether more of what tells the best step is better. */
  public boolean largestIsBest() {
    return bestBy.equals(ACCURACY)
        || tasks.stream()
            .filter(task -> task.kind() != TaskSettings.Kind.PERPLEXITY)
            .anyMatch(task -> task.shownName().equals(bestBy));
  }

  /** What tells the best step, in words that change whenever values cannot be compared. */
  public String judgedBy() {
    return (largestIsBest() ? "the largest " : "the smallest ") + bestBy;
  }

  /** Whether anything follows from which step is the best. */
  public boolean looksForBest() {
    return keepBest || stopAfter > 0;
  }
}
