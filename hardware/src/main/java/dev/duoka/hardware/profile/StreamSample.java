package dev.duoka.hardware.profile;

/**
 * How fast a kernel that is bound by memory moves its bytes.
 *
 * @param name of the kernel; {@code copy} for a plain one
 * @param bytesPerSecond read and written
 */
public record StreamSample(String name, double bytesPerSecond) {
  /** The name of a plain copy. */
  public static final String COPY = "copy";
}
