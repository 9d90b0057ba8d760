package dev.duoka.experiment.arm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * What an arm has written of its steps.
 *
 * @param steps by their numbers
 * @param peakBytes of tensors, of the rank that needs most
 */
public record ArmSteps(Map<Long, Step> steps, long peakBytes) {
  /** What a rank's memory says beside the owners of its tensors. */
  private static final Set<String> NOT_TENSORS = Set.of("driver_bytes", "heap_bytes");

  public ArmSteps {
    steps = Map.copyOf(steps);
  }

  /** A step; what is no number is NaN. */
  public record Step(double tokensPerSecond, double loss, double gradientNorm) {}

  /**
   * Reads {@code metrics.jsonl}.
   *
   * @throws DuokaException when it cannot be read
   */
  public static ArmSteps read(Path metrics) {
    try {
      Map<Long, Step> steps = new HashMap<>();
      long peak = 0;
      for (String line : Files.readAllLines(metrics)) {
        JsonNode json =
            Json.parse(line.getBytes(StandardCharsets.UTF_8), metrics.toString(), ErrorCode.FORMAT);
        if (json.has("loss")) {
          steps.put(
              json.path("step").asLong(),
              new Step(
                  json.path("tokens_per_second").asDouble(Double.NaN),
                  json.path("loss").asDouble(Double.NaN),
                  json.path("grad_norm").asDouble(Double.NaN)));
          peak = Math.max(peak, peak(json));
        }
      }
      return new ArmSteps(steps, peak);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read what an arm has measured, " + metrics + ": " + IoReason.of(e),
          "See the output of the arm beside it",
          e);
    }
  }

  private static long peak(JsonNode line) {
    long peak = line.path("memory").path("peak_bytes").asLong(0);
    for (JsonNode rank : line.path("rank_memory")) {
      long sum =
          rank.propertyStream()
              .filter(owner -> !NOT_TENSORS.contains(owner.getKey()))
              .mapToLong(owner -> owner.getValue().asLong(0))
              .sum();
      peak = Math.max(peak, sum);
    }
    return peak;
  }

  public Optional<Step> step(long number) {
    return Optional.ofNullable(steps.get(number));
  }

  /** These steps, and behind them others whose numbers are raised by so much. */
  public ArmSteps and(ArmSteps others, long raise) {
    Map<Long, Step> all = new HashMap<>(steps);
    others.steps.forEach((number, step) -> all.putIfAbsent(number + raise, step));
    return new ArmSteps(all, Math.max(peakBytes, others.peakBytes));
  }
}
