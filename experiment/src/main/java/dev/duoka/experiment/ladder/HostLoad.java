package dev.duoka.experiment.ladder;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** How busy all processors of the machine are together, by {@code /proc/stat} of Linux. */
final class HostLoad {
  private static final Path FILE = Path.of("/proc/stat");

  /** Among the times of a processor: when it had nothing to do, or waited for a disk. */
  private static final int IDLE = 3;

  private static final int WAITING = 4;

  private HostLoad() {}

  /** Per cent in so much time; empty where the system does not tell. */
  static Optional<Integer> read(Duration time) throws InterruptedException {
    try {
      List<String> before = Files.readAllLines(FILE);
      Thread.sleep(time);
      return between(before, Files.readAllLines(FILE));
    } catch (IOException e) {
      return Optional.empty(); // no Linux, or hidden from this container
    }
  }

  /** Per cent between two states of the file; empty where they tell nothing. */
  static Optional<Integer> between(List<String> before, List<String> after) {
    long[] first = times(before);
    long[] last = times(after);
    if (first.length <= WAITING || last.length != first.length) {
      return Optional.empty();
    }
    long all = Arrays.stream(last).sum() - Arrays.stream(first).sum();
    long idle = last[IDLE] + last[WAITING] - first[IDLE] - first[WAITING];
    return all <= 0 ? Optional.empty() : Optional.of(Math.clamp(100 * (all - idle) / all, 0, 100));
  }

  /** The times of all processors together; those of guests, which are in others, left out. */
  private static long[] times(List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith("cpu "))
        .findFirst()
        .map(line -> line.strip().split(" +"))
        .map(
            words ->
                Arrays.stream(words)
                    .skip(1)
                    .limit(8)
                    .filter(word -> word.matches("\\d{1,18}"))
                    .mapToLong(Long::parseLong)
                    .toArray())
        .orElse(new long[0]);
  }
}
