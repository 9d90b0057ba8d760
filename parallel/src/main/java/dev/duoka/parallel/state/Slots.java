package dev.duoka.parallel.state;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Flat buffers for whole weights or gradients that are here for a while: made at the first use and
 * used again, never freed before the end. How many there are depends on the order of use alone.
 */
final class Slots implements AutoCloseable {
  private final Dtype dtype;
  private final Device device;
  private final MemoryOwner owner;
  private final Map<Long, Deque<Tensor>> free = new HashMap<>();
  private final List<Tensor> all = new ArrayList<>();

  Slots(Dtype dtype, Device device, MemoryOwner owner) {
    this.dtype = dtype;
    this.device = device;
    this.owner = owner;
  }

  /** Whether one of this length is free. */
  boolean hasFree(long length) {
    return free.containsKey(length) && !free.get(length).isEmpty();
  }

  /** How many there are of this length, free or not. */
  long count(long length) {
    return all.stream().filter(slot -> slot.size(0) == length).count();
  }

  /** Whether a buffer is one of these and of this length. */
  boolean lent(@Nullable Tensor buffer, long length) {
    return buffer != null && buffer.dtype() == dtype && buffer.size(0) == length;
  }

  /** One of this length, with anything in it. */
  Tensor take(long length) {
    Deque<Tensor> ofLength = free.computeIfAbsent(length, _ -> new ArrayDeque<>());
    if (!ofLength.isEmpty()) {
      return ofLength.pop();
    }
    try (Scope _ = Scope.open(owner)) {
      Tensor slot = Scope.detach(Tensors.zeros(dtype, device, length));
      all.add(slot);
      return slot;
    }
  }

  /** Gives one back. */
  void giveBack(Tensor slot) {
    free.computeIfAbsent(slot.size(0), _ -> new ArrayDeque<>()).push(slot);
  }

  @Override
  public void close() {
    all.forEach(Tensor::close);
    all.clear();
    free.clear();
  }
}
