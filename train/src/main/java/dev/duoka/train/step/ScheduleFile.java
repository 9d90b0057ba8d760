package dev.duoka.train.step;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.OrdinaryFile;
import dev.duoka.parallel.schedule.Action;
import dev.duoka.parallel.schedule.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Reads the schedule of a pipeline from a table. */
public final class ScheduleFile {
  private ScheduleFile() {}

  /**
   * Reads a table in the form of torch.distributed.pipelining, with or without messages.
   *
   * @throws DuokaException when it cannot be read, or cannot end
   */
  public static Schedule read(Path file) {
    try {
      OrdinaryFile.require(file, ErrorCode.CONFIG);
      String text = Files.readString(file);
      Schedule table = Schedule.parse(text);
      return hasMessages(table) ? table : Schedule.parseComputations(text);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot read the schedule " + file + ": " + IoReason.of(e),
          "Check parallel.schedule",
          e);
    }
  }

  private static boolean hasMessages(Schedule table) {
    return table.ranks().stream()
        .flatMap(List::stream)
        .map(Action::kind)
        .anyMatch(
            kind ->
                kind == Action.Kind.SEND_FORWARD
                    || kind == Action.Kind.RECEIVE_FORWARD
                    || kind == Action.Kind.REDUCE_GRADIENTS);
  }
}
