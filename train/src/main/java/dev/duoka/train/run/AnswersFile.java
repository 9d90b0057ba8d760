package dev.duoka.train.run;

import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.setaside.MetricsCut;
import dev.duoka.train.evaluate.ShownAnswer;
import dev.duoka.train.snapshot.RunFileNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code answers.jsonl}: what the model wrote at each validation beside what was expected. It is
 * there to be read by people: a disk that takes no more of it ends no run.
 *
 * @param notice hears that something could not be written
 */
record AnswersFile(Path path, Consumer<String> notice) {
  /** Its name in the run's folder. */
  static final String NAME = RunFileNames.ANSWERS;

  /**
   * That of a run that has taken {@code steps} steps so far: lines of later ones, which it will
   * take again, are dropped.
   */
  static AnswersFile open(Path runDir, long steps, Consumer<String> notice) {
    Path path = runDir.resolve(NAME);
    try {
      MetricsCut.keepUpTo(path, steps);
    } catch (IOException e) {
      notice.accept(
          "the answers after step " + steps + " are still in " + NAME + ": " + IoReason.of(e));
    }
    return new AnswersFile(path, notice);
  }

  /** Adds those of a validation. */
  void add(long step, List<ShownAnswer> answers) {
    if (answers.isEmpty()) {
      return;
    }
    StringBuilder lines = new StringBuilder();
    for (ShownAnswer answer : answers) {
      ObjectNode line = Json.object();
      line.put("step", step);
      line.put("prompt", answer.prompt());
      line.put("expected", answer.expected());
      line.put("answer", answer.answer());
      line.put("ended", answer.ended());
      lines.append(Json.line(line)).append('\n');
    }
    try {
      Files.writeString(
          path,
          lines,
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      notice.accept("the answers after step " + step + " are not written: " + IoReason.of(e));
    }
  }
}
