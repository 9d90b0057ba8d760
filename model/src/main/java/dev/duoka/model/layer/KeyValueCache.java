package dev.duoka.model.layer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.HashMap;
import java.util.Map;

/**
 * Keys and values of the tokens so far, per layer, with room for {@code capacity} tokens. Owns its
 * tensors; one thread.
 */
public final class KeyValueCache implements AutoCloseable {
  private final long capacity;
  private final Map<Integer, Tensor[]> layers = new HashMap<>();

  /** An empty cache. */
  public KeyValueCache(long capacity) {
    this.capacity = capacity;
  }

  /** How many tokens fit. */
  public long capacity() {
    return capacity;
  }

  /**
   * Adds the keys and values of new tokens, {@code [b, heads, t, width]}, of which the first is at
   * {@code position}.
   *
   * @return all keys and all values so far
   */
  Tensor[] append(int layer, long position, Tensor key, Tensor value) {
    long end = position + key.size(2);
    if (end > capacity) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot keep " + end + " tokens: the cache holds " + capacity,
          "Ask for fewer tokens or a shorter prompt");
    }
    Tensor[] kept = layers.computeIfAbsent(layer, _ -> new Tensor[] {room(key), room(value)});
    Copies.into(Views.narrow(kept[0], 2, position, key.size(2)), key);
    Copies.into(Views.narrow(kept[1], 2, position, value.size(2)), value);
    return new Tensor[] {Views.narrow(kept[0], 2, 0, end), Views.narrow(kept[1], 2, 0, end)};
  }

  private Tensor room(Tensor like) {
    try (Scope _ = Scope.open(MemoryOwner.KV_CACHE)) {
      return Scope.detach(
          Tensors.zeros(
              like.dtype(), like.device(), like.size(0), like.size(1), capacity, like.size(3)));
    }
  }

  @Override
  public void close() {
    for (Tensor[] kept : layers.values()) {
      kept[0].close();
      kept[1].close();
    }
    layers.clear();
  }
}
