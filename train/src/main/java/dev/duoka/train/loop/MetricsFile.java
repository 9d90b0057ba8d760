package dev.duoka.train.loop;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code metrics.jsonl}: one JSON object per step, and one per validation. When a run resumes, the
 * lines after its checkpoint are dropped, so that no step is there twice.
 */
final class MetricsFile implements AutoCloseable {
  static final String NAME = "metrics.jsonl";

  private final Writer writer;

  private MetricsFile(Writer writer) {
    this.writer = writer;
  }

  /** Opens the file of a run that has taken {@code steps} steps so far. */
  static MetricsFile open(Path runDir, long steps) {
    Path file = runDir.resolve(NAME);
    try {
      if (Files.exists(file)) {
        Path kept = runDir.resolve(NAME + ".tmp");
        try (Stream<String> lines = Files.lines(file)) {
          List<String> upToHere = lines.filter(line -> stepOf(line) <= steps).toList();
          Files.write(kept, upToHere);
        }
        Files.move(kept, file, StandardCopyOption.REPLACE_EXISTING);
      }
      return new MetricsFile(
          Files.newBufferedWriter(
              file, StandardCharsets.UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    } catch (IOException | UncheckedIOException e) {
      throw cannotWrite(file, e);
    }
  }

  /** A line that is cut short, by a crash say, belongs to no step and is dropped. */
  private static long stepOf(String line) {
    try {
      JsonNode node = Json.parse(line.getBytes(StandardCharsets.UTF_8), NAME, ErrorCode.FORMAT);
      return node.path("step").asLong(Long.MAX_VALUE);
    } catch (DuokaException e) {
      return Long.MAX_VALUE;
    }
  }

  void step(StepMetrics m) {
    ObjectNode line = Json.object();
    line.put("step", m.step());
    putNumber(line, "loss", m.loss());
    if (!Double.isNaN(m.furtherLoss())) {
      line.put("mtp_loss", m.furtherLoss());
    }
    line.put("lr", m.learningRate());
    putNumber(line, "grad_norm", m.gradientNorm());
    line.put("loss_scale", m.lossScale());
    line.put("applied", m.applied());
    line.put("tokens", m.tokens());
    line.put("tokens_per_second", m.tokensPerSecond());
    line.put("samples_per_second", m.samplesPerSecond());
    putNumber(line, "mfu", m.mfu());
    ObjectNode seconds = line.putObject("seconds");
    seconds.put("data", m.seconds().data());
    seconds.put("forward", m.seconds().forward());
    seconds.put("backward", m.seconds().backward());
    seconds.put("optimizer", m.seconds().optimizer());
    seconds.put("total", m.seconds().total());
    ObjectNode memory = line.putObject("memory");
    memory.put("live_bytes", m.memory().liveBytes());
    memory.put("peak_bytes", m.memory().peakBytes());
    memory.put("driver_bytes", m.memory().driverBytes());
    if (!m.gradientRanges().isEmpty()) {
      ArrayNode ranges = line.putArray("grad_range");
      for (StepMetrics.GradientRange range : m.gradientRanges()) {
        ObjectNode node = ranges.addObject();
        node.put("layer", range.part());
        putNumber(node, "min", range.smallest());
        putNumber(node, "max", range.largest());
        putNumber(node, "rms", range.rms());
      }
    }
    write(line);
  }

  void validation(long step, double loss) {
    ObjectNode line = Json.object();
    line.put("step", step);
    putNumber(line, "validation_loss", loss);
    write(line);
  }

  /** JSON has no NaN and no infinity: such a value is null. */
  private static void putNumber(ObjectNode node, String name, double value) {
    if (Double.isFinite(value)) {
      node.put(name, value);
    } else {
      node.putNull(name);
    }
  }

  private void write(ObjectNode line) {
    try {
      writer.write(Json.line(line));
      writer.write('\n');
      writer.flush();
    } catch (IOException e) {
      throw cannotWrite(Path.of(NAME), e);
    }
  }

  private static DuokaException cannotWrite(Path file, Exception e) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot write " + file + ": " + e.getMessage(),
        "Check the disk, then resume from the last checkpoint",
        e);
  }

  @Override
  public void close() {
    try {
      writer.close();
    } catch (IOException e) {
      throw cannotWrite(Path.of(NAME), e);
    }
  }
}
