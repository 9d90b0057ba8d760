package dev.duoka.machine.environment;

/**
 * The Java runtime of this process.
 *
 * @param version for example {@code 25.0.1+8}
 * @param vendor who built it
 * @param home where it is installed
 * @param maxHeap bytes that the Java heap may grow to; tensors do not live there
 */
public record JavaFacts(String version, String vendor, String home, long maxHeap) {
  static JavaFacts collect() {
    return new JavaFacts(
        Runtime.version().toString(),
        System.getProperty("java.vendor", "unknown"),
        System.getProperty("java.home", "unknown"),
        Runtime.getRuntime().maxMemory());
  }
}
