package dev.duoka.train.step;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is known of one optimizer step; a line of {@code metrics.jsonl}.
 *
 * @param step the number of the step, from 1
 * @param loss mean cross-entropy of the next token over the step's real tokens, in nats
 * @param furtherLoss mean cross-entropy of predicting further tokens; NaN where the model does not
 * @param preference of pairs: mean rewards, their margin, how often the chosen answer's is larger,
 *     and the chosen one's own loss; empty where tokens are learned
 * @param learningRate of this step
 * @param gradientNorm global L2 norm before clipping; not finite when the gradients overflowed
 * @param lossScale what the loss was multiplied by
 * @param applied false when the step was skipped because the gradients overflowed
 * @param gradientRanges per part of the model; empty except now and then
 * @param expertLoads of each mixture of experts of the first rank that counts its tokens, those of
 *     the busiest expert as a multiple of an equal share; empty except now and then
 * @param tokens tokens of the step over all ranks
 * @param tokensPerSecond over all ranks: the step's tokens by {@code seconds.total}
 * @param samplesPerSecond sequences over all ranks
 * @param mfu model FLOPs utilisation, causal attention counted at its half; NaN where the device's
 *     peak is unknown
 * @param seconds where the time of the step went
 * @param exposedSeconds by group of ranks, how long the first rank did nothing but exchange; empty
 *     where it was not measured
 * @param memory bytes
 */
public record StepMetrics(
    long step,
    double loss,
    double furtherLoss,
    Map<String, Double> preference,
    double learningRate,
    double gradientNorm,
    double lossScale,
    boolean applied,
    List<GradientRange> gradientRanges,
    List<Double> expertLoads,
    long tokens,
    double tokensPerSecond,
    double samplesPerSecond,
    double mfu,
    StepTime seconds,
    Map<String, Double> exposedSeconds,
    MemoryUse memory) {
  public StepMetrics {
    preference = Collections.unmodifiableMap(new LinkedHashMap<>(preference));
    gradientRanges = List.copyOf(gradientRanges);
    expertLoads = List.copyOf(expertLoads);
    exposedSeconds = Map.copyOf(exposedSeconds);
  }

  /** {@link #mfu} in percent. */
  public double mfuPercent() {
    return mfu * 100;
  }

  /**
   * The gradients of one part of the model, as the first rank has them before the reduction, with
   * the loss scale taken out.
   *
   * @param part for example {@code model.layers.3}
   * @param smallest the smallest value
   * @param largest the largest value
   * @param rms the root of the mean square
   */
  public record GradientRange(String part, double smallest, double largest, double rms) {}

  /**
   * Where the wall time of a step went, in seconds, on the first rank. On a GPU the first three are
   * the host's time to launch, and the optimizer includes waiting for the device. What the total
   * has beyond the other four is reporting and saving.
   *
   * @param data waiting for the batch
   * @param forward forward passes
   * @param backward backward passes
   * @param optimizer reduction, clipping, update
   * @param total from the end of the step before to the end of this one, validation left out
   */
  public record StepTime(
      double data, double forward, double backward, double optimizer, double total) {}

  /**
   * Memory on the first rank's device.
   *
   * @param liveBytes of tensors after the step
   * @param peakBytes of tensors so far
   * @param driverBytes what the driver (GPU) or the operating system (CPU) says this process uses
   * @param ofCard whether the driver knows no processes, as in some containers, and {@code
   *     driverBytes} are those of all processes on the card
   * @param ranks what each rank holds, in their order; empty where it is as it was
   */
  public record MemoryUse(
      long liveBytes, long peakBytes, long driverBytes, boolean ofCard, List<RankUse> ranks) {
    public MemoryUse {
      ranks = List.copyOf(ranks);
    }
  }

  /**
   * Memory of one rank.
   *
   * @param peakByOwner bytes of its tensors when they were most in the last steps, by owner
   * @param driverBytes what the driver counts on its device, or the operating system in its process
   *     without mapped files
   * @param heapBytes of these that the JVM keeps for its objects; 0 on a GPU
   */
  public record RankUse(Map<String, Long> peakByOwner, long driverBytes, long heapBytes) {
    public RankUse {
      peakByOwner = Map.copyOf(peakByOwner);
    }
  }
}
