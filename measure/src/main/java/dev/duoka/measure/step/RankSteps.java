package dev.duoka.measure.step;

import dev.duoka.tensor.Device;
import dev.duoka.train.device.DevicePeak;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * What the steps of one rank of a mesh were.
 *
 * @param device where it computed
 * @param result times, losses and memory
 * @param exposed seconds of a step in which it did nothing but exchange, by group
 * @param loads how many of its tokens each expert got in a step, by the mixtures that it holds
 * @param peak what its device reaches at best
 */
public record RankSteps(
    Device device,
    StepBenchmark.Result result,
    Map<String, Double> exposed,
    List<long[]> loads,
    DevicePeak peak) {
  /** {@link #exposed} in milliseconds. */
  public Map<String, Double> exposedMilliseconds() {
    Map<String, Double> milliseconds = new TreeMap<>(exposed);
    milliseconds.replaceAll((_, seconds) -> seconds * 1e3);
    return milliseconds;
  }

  /** The median step. */
  public double milliseconds() {
    return result.medianSeconds() * 1e3;
  }

  /** The name of the device. */
  public String deviceName() {
    return device.toString();
  }

  /** Bytes that the driver books on this process on the rank's card; empty on the CPU. */
  public OptionalLong driverBytes() {
    return device.isCuda() ? OptionalLong.of(result.driverBytes()) : OptionalLong.empty();
  }
}
