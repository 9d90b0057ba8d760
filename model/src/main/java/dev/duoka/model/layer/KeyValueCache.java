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
 * What attention needs of the tokens so far, per layer, with room for {@code capacity} tokens: keys
 * and values, or the latent that they come from. Owns its tensors; one thread.
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
   * Adds what a layer needs of new tokens, of which the first is at {@code position}.
   *
   * @param dim the dimension of the tokens, in each of {@code added}
   * @return the same of all tokens so far
   */
  Tensor[] append(int layer, long position, int dim, Tensor... added) {
    long count = added[0].size(dim);
    long end = position + count;
    if (end > capacity) {
      throw new DuokaException(
          ErrorCode.TENSOR,
          "cannot keep " + end + " tokens: the cache holds " + capacity,
          "Ask for fewer tokens or a shorter prompt");
    }
    Tensor[] kept = layers.computeIfAbsent(layer, _ -> room(dim, added));
    Tensor[] all = new Tensor[added.length];
    for (int i = 0; i < added.length; i++) {
      Copies.into(Views.narrow(kept[i], dim, position, count), added[i]);
      all[i] = Views.narrow(kept[i], dim, 0, end);
    }
    return all;
  }

  private Tensor[] room(int dim, Tensor... like) {
    Tensor[] rooms = new Tensor[like.length];
    try (Scope _ = Scope.open(MemoryOwner.KV_CACHE)) {
      for (int i = 0; i < like.length; i++) {
        long[] shape = like[i].shape();
        shape[dim] = capacity;
        rooms[i] = Tensors.zeros(like[i].dtype(), like[i].device(), shape);
      }
      for (Tensor room : rooms) {
        Scope.detach(room);
      }
    }
    return rooms;
  }

  @Override
  public void close() {
    for (Tensor[] kept : layers.values()) {
      for (Tensor tensor : kept) {
        tensor.close();
      }
    }
    layers.clear();
  }
}
