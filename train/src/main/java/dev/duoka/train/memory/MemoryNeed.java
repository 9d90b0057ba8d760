package dev.duoka.train.memory;

import dev.duoka.base.ByteSize;
import dev.duoka.tensor.MemoryOwner;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Memory that something is about to take.
 *
 * @param byOwner bytes by what they are for
 */
public record MemoryNeed(Map<String, Long> byOwner) {
  public MemoryNeed {
    byOwner = Map.copyOf(byOwner);
  }

  /** What so many ranks book that share a device, each of them {@code booked}. */
  public static MemoryNeed of(Map<MemoryOwner, Long> booked, int ranks) {
    Map<String, Long> bytes = new LinkedHashMap<>();
    booked.forEach((owner, each) -> bytes.put(owner.label(), ranks * each));
    return new MemoryNeed(bytes);
  }

  /** The same and more. */
  public MemoryNeed plus(String owner, long bytes) {
    Map<String, Long> all = new LinkedHashMap<>(byOwner);
    all.merge(owner, bytes, Long::sum);
    return new MemoryNeed(all);
  }

  /** So many times as much. */
  MemoryNeed times(int ranks) {
    Map<String, Long> bytes = new LinkedHashMap<>(byOwner);
    bytes.replaceAll((_, each) -> ranks * each);
    return new MemoryNeed(bytes);
  }

  /** Both together. */
  MemoryNeed plus(MemoryNeed other) {
    MemoryNeed sum = this;
    for (Map.Entry<String, Long> each : other.byOwner.entrySet()) {
      sum = sum.plus(each.getKey(), each.getValue());
    }
    return sum;
  }

  /** All bytes. */
  public long bytes() {
    return byOwner.values().stream().mapToLong(Long::longValue).sum();
  }

  /** For example {@code 9.31 GiB (optimizer 5.20 GiB, weights 1.30 GiB)}, the largest first. */
  public String text() {
    return byOwner.entrySet().stream()
        .filter(entry -> entry.getValue() >= bytes() / 1000)
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .map(entry -> entry.getKey() + " " + ByteSize.text(entry.getValue()))
        .collect(Collectors.joining(", ", ByteSize.text(bytes()) + " (", ")"));
  }
}
