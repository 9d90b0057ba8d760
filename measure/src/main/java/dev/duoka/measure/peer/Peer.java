package dev.duoka.measure.peer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.OptionalDouble;

/** Another program that measures the same, as a shell command. */
public final class Peer {
  /**
   * What it reported.
   *
   * @param tokensPerSecond its field {@code tok_s} or {@code tokens_per_second}
   * @param peakGib its field {@code peak_gb} or {@code peak_gib}, both in GiB; empty without one
   */
  public record Result(double tokensPerSecond, OptionalDouble peakGib) {}

  private Peer() {}

  /** Runs the command to its end and reads the last line of its standard output. */
  public static Result run(String command, PrintWriter progress) {
    progress.println("peer: " + command);
    progress.flush();
    String output;
    int status;
    try {
      Process process =
          new ProcessBuilder("/bin/sh", "-c", command)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      status = process.waitFor();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot run the peer '" + command + "': " + e, "Check the command.", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DuokaException(ErrorCode.IO, "the peer was interrupted", "Run it again.", e);
    }
    String last = output.strip().lines().reduce("", (_, line) -> line);
    if (status != 0 || !last.startsWith("{")) {
      throw new DuokaException(
          ErrorCode.IO,
          "the peer '" + command + "' ended with status " + status + " and the line '" + last + "'",
          "It must end with status 0 and a JSON object that has tok_s and, if known, peak_gb.");
    }
    JsonFields fields =
        JsonFields.of(
            Json.parse(
                last.getBytes(StandardCharsets.UTF_8), "the peer's result", ErrorCode.FORMAT),
            "the peer's result",
            ErrorCode.FORMAT);
    OptionalDouble tokens = positive(fields, "tok_s", "tokens_per_second");
    return new Result(
        tokens.orElseThrow(
            () ->
                fields.error(
                    "has neither tok_s nor tokens_per_second: '" + last + "'",
                    "Print the tokens per second as tok_s.")),
        positive(fields, "peak_gb", "peak_gib"));
  }

  /** The field that is there; empty without any. */
  private static OptionalDouble positive(JsonFields fields, String... names) {
    for (String name : names) {
      if (fields.node(name).isPresent()) {
        double value = fields.number(name);
        if (!(value > 0) || Double.isInfinite(value)) {
          throw fields.error(name + " is " + value, "Print a number above 0, or leave it out.");
        }
        return OptionalDouble.of(value);
      }
    }
    return OptionalDouble.empty();
  }
}
