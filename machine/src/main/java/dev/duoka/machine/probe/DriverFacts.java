package dev.duoka.machine.probe;

/**
 * NVIDIA's driver.
 *
 * @param version the version of the user libraries, for example {@code 580.65.06}
 * @param cuda the newest CUDA version that it supports, for example {@code 13.0}
 * @param kernelModule the version of the loaded kernel module
 */
public record DriverFacts(
    Reading<String> version, Reading<String> cuda, Reading<String> kernelModule) {
  /** Nothing is known, for one reason. */
  public static DriverFacts unknown(String why) {
    return new DriverFacts(Reading.unknown(why), Reading.unknown(why), Reading.unknown(why));
  }
}
