package dev.duoka.train.evaluate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.train.config.TaskSettings;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/** Reads the questions of a task. */
public final class TaskFile {
  private TaskFile() {}

  /**
   * Checks that all questions that will be asked can be.
   *
   * @throws DuokaException when the file cannot be read, is empty, or a line is no question
   */
  public static void check(TaskSettings task) {
    read(task);
  }

  static List<TaskRecord> read(TaskSettings task) {
    List<TaskRecord> records = new ArrayList<>();
    try (BufferedReader lines = Files.newBufferedReader(task.path(), StandardCharsets.UTF_8)) {
      int number = 0;
      for (String line = lines.readLine();
          line != null && records.size() < task.questions();
          line = lines.readLine()) {
        number++;
        if (!line.isBlank()) {
          records.add(TaskRecord.parse(line, task.kind(), task.path() + " line " + number));
        }
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read the task " + task.path() + ": " + IoReason.of(e),
          "Correct the element's 'path' in validation.tasks, or see who may read the file.",
          e);
    }
    if (records.isEmpty()) {
      throw new DuokaException(
          ErrorCode.DATA,
          "the task " + task.path() + " has no question",
          "Write one JSON object a line into it, for example "
              + switch (task.kind()) {
                case CHOICE ->
                    "{\"prompt\": \"1+1?\", \"choices\": [\"2\", \"3\"], \"answer\": 0}.";
                case EXACT, PERPLEXITY -> "{\"prompt\": \"1+1?\", \"answer\": \"2\"}.";
              });
    }
    return records;
  }
}
