package dev.duoka.train.config;

import dev.duoka.base.UserPath;
import dev.duoka.train.config.binding.Doc;
import java.nio.file.Path;
import java.util.Optional;

/** One element of {@code validation.tasks}. */
public record TaskSettings(
    @Doc(
            "A JSONL file. Each line has a `prompt` (a text) or `messages`; for `choice` also"
                + " `choices` (texts) and `answer`, the right one's number from 0, its letter from"
                + " A or its text; for `exact` the `answer`, or a list of answers that count; for"
                + " `perplexity` the `answer`.")
        Path path,
    @Doc(
            value = "What reports and metrics call it.",
            whenAbsent = "the file's name without what follows its first dot")
        Optional<String> name,
    @Doc(
            value =
                "`choice`: the most likely of the choices is the model's; `exact`: the model writes"
                    + " an answer, which must be the expected one but for white space;"
                    + " `perplexity`: how unlikely the answers are to the model, over all of their"
                    + " tokens.",
            byDefault = "choice")
        Kind kind,
    @Doc(
            value =
                "Divide the log-probability of each choice by its length in characters, for choices"
                    + " of unequal lengths.",
            byDefault = "false")
        boolean byLength,
    @Doc(
            value = "The first so many questions are asked; the same ones each time.",
            unit = "questions",
            byDefault = "100",
            range = "[1, 1000000]")
        int questions) {
  /** How a question is answered. */
  public enum Kind {
    /** By the most likely of several texts. */
    CHOICE,
    /** By a text that the model writes. */
    EXACT,
    /** Not at all: the answer is given, and what counts is how likely it is. */
    PERPLEXITY
  }

  public TaskSettings {
    path = Path.of(UserPath.expand(path.toString()));
  }

  /** What reports and metrics call it. */
  public String shownName() {
    return name.orElseGet(
        () -> String.valueOf(path.getFileName()).replaceFirst("(?<=.)\\..*$", ""));
  }
}
