package dev.duoka.experiment.trial;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * All trials of a user on this machine, a line of JSON each; a line that is no trial is passed
 * over.
 *
 * @param file where they are written down
 */
public record TrialLedger(Path file) {
  private static final String NAME = "trials.jsonl";

  /** That of this user. */
  public static TrialLedger standard() {
    return new TrialLedger(StateFolder.own(StateFolder.standard().path()).resolve(NAME));
  }

  /** Adds one, at once on disk. */
  public void add(TrialResult trial) {
    byte[] line = (Json.line(TrialJson.of(trial)) + "\n").getBytes(StandardCharsets.UTF_8);
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      ByteBuffer buffer = ByteBuffer.wrap(line); // one write: lines of two trials do not mix
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
      channel.force(true);
    } catch (IOException e) {
      throw cannot("write down the trial in ", e);
    }
  }

  /** All of them, oldest first. */
  public List<TrialResult> trials() {
    try {
      return Files.readAllLines(file).stream().flatMap(line -> read(line).stream()).toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw cannot("read the trials in ", e);
    }
  }

  private static Optional<TrialResult> read(String line) {
    try {
      JsonNode json =
          Json.parse(line.getBytes(StandardCharsets.UTF_8), "a trial", ErrorCode.FORMAT);
      return TrialJson.read(json);
    } catch (DuokaException e) {
      return Optional.empty(); // a line that was cut off
    }
  }

  private DuokaException cannot(String what, IOException e) {
    return new DuokaException(
        ErrorCode.IO, "cannot " + what + file + ": " + IoReason.of(e), "Check the disk", e);
  }
}
