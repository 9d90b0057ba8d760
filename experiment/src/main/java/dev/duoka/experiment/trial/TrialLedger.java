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
    return new TrialLedger(
        StateFolder.own(StateFolder.standard().path().resolve("trials")).resolve(NAME));
  }

  /** Adds one, at once on disk. */
  public void add(TrialResult trial) {
    String text = Json.line(TrialJson.of(trial)) + "\n";
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
      String begin = endsWithinALine() ? "\n" : ""; // the last writer was killed
      ByteBuffer buffer = ByteBuffer.wrap((begin + text).getBytes(StandardCharsets.UTF_8));
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
      return Files.readAllLines(file, StandardCharsets.ISO_8859_1).stream() // takes any bytes
          .flatMap(line -> read(line.getBytes(StandardCharsets.ISO_8859_1)).stream())
          .toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw cannot("read the trials in ", e);
    }
  }

  private boolean endsWithinALine() throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ByteBuffer last = ByteBuffer.allocate(1);
      return channel.size() > 0
          && channel.read(last, channel.size() - 1) == 1
          && last.get(0) != '\n';
    }
  }

  private static Optional<TrialResult> read(byte[] line) {
    try {
      JsonNode json = Json.parse(line, "a trial", ErrorCode.FORMAT);
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
