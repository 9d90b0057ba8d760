package dev.duoka.formats.prediction;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was said of a run before its first step.
 *
 * @param ranks bytes by owner that each rank holds at its peak, by the dry run of its step
 * @param devices where the ranks compute
 * @param step how long a step takes; empty where that is not predicted
 * @param whyNoStep why it is not; empty where it is
 */
public record Prediction(
    List<Map<String, Long>> ranks,
    List<PredictedDevice> devices,
    Optional<PredictedStep> step,
    String whyNoStep) {
  public Prediction {
    ranks = ranks.stream().map(Map::copyOf).toList();
    devices = List.copyOf(devices);
  }

  /** Whether another says the same of memory: it is of the same step on as many devices. */
  public boolean hasMemoryOf(Prediction other) {
    return ranks.equals(other.ranks)
        && devices.stream()
            .map(PredictedDevice::ranks)
            .toList()
            .equals(other.devices.stream().map(PredictedDevice::ranks).toList());
  }
}
