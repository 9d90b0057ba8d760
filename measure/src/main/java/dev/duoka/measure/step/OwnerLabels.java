package dev.duoka.measure.step;

import dev.duoka.tensor.MemoryOwner;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Bytes by the name of their owner, for reports. */
final class OwnerLabels {
  private OwnerLabels() {}

  /** The same bytes in the same order. */
  static Map<String, Long> of(Map<MemoryOwner, Long> bytes) {
    Map<String, Long> named = new LinkedHashMap<>();
    bytes.forEach((owner, value) -> named.put(owner.label(), value));
    return Collections.unmodifiableMap(named);
  }
}
