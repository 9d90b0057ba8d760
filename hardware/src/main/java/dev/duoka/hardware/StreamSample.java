package dev.duoka.hardware;

import java.util.Locale;

/**
 * How fast a part of a step that is bound by memory moves its bytes: seconds are the latency and
 * the bytes by the rate.
 *
 * @param name of the part, as {@link #name} makes it; {@link #COPY} for a plain copy
 * @param latency seconds of a call that moves next to nothing
 * @param bytesPerSecond read and written, as the part's least work counts them
 */
public record StreamSample(String name, double latency, double bytesPerSecond) {
  /** The name of a plain copy. */
  public static final String COPY = "copy";

  /** The name of the part of the loss that is not a product. */
  public static final String CROSS_ENTROPY = "cross-entropy";

  /** The name of what brings a factor of a product in 8 bits into them, in both directions. */
  public static final String QUANTIZE = "quantize rows and columns";

  /**
   * The name of a part of a step.
   *
   * @param kind of the function
   * @param phase in any case
   * @param variant what else its time depends on; empty where it is the usual one
   */
  public static String name(String kind, String phase, String variant) {
    String name = kind + ", " + phase.toLowerCase(Locale.ROOT).replace('_', ' ');
    return variant.isEmpty() ? name : name + ", " + variant;
  }

  /** Seconds to move so many bytes in so many calls. */
  public double seconds(double calls, double bytes) {
    return calls * latency + bytes / bytesPerSecond;
  }
}
