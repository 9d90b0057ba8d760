package dev.duoka.train.config;

import dev.duoka.base.UserPath;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * In which order the stages of a pipeline work: one of the schedules that are made here, or a table
 * in a file.
 *
 * @param kind the schedule; empty for a file's
 * @param file a table in the form of torch.distributed.pipelining; empty for none
 */
public record ScheduleChoice(Optional<PipelineKind> kind, Optional<Path> file) {
  private static final String TABLE = ".csv";

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is neither a schedule's name nor a table's
   */
  public static ScheduleChoice parse(String text) {
    for (PipelineKind kind : PipelineKind.values()) {
      if (kind.toString().equals(text)) {
        return new ScheduleChoice(Optional.of(kind), Optional.empty());
      }
    }
    if (text.toLowerCase(Locale.ROOT).endsWith(TABLE)) {
      return new ScheduleChoice(Optional.empty(), Optional.of(Path.of(UserPath.expand(text))));
    }
    String names =
        Arrays.stream(PipelineKind.values())
            .map(PipelineKind::toString)
            .collect(Collectors.joining(", "));
    throw new IllegalArgumentException("one of " + names + ", or a table in a .csv file");
  }

  /** Whether it is the one that runs have without asking. */
  public boolean isDefault() {
    return kind.equals(Optional.of(PipelineOrder.DEFAULT.kind()));
  }

  /** The names of the schedules. */
  static List<String> names() {
    return Arrays.stream(PipelineKind.values()).map(PipelineKind::toString).toList();
  }

  /** The text form that {@link #parse} reads. */
  @Override
  public String toString() {
    return kind.map(PipelineKind::toString).orElseGet(() -> String.valueOf(file.orElseThrow()));
  }
}
