package dev.duoka.parallel.state;

import dev.duoka.comm.Pending;
import dev.duoka.comm.Purpose;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * ZeRO stage 3 (Rajbhandari et al., arXiv:1910.02054 §5.3): each rank keeps a shard of every
 * weight, and the weights of a block, or of the blocks that share a bucket, are gathered when it is
 * used, the next one's while it computes, and forgotten behind it. At most two are here at once.
 * Which comes next follows from the direction in which blocks are used. Weights in 4 bits are
 * gathered as their bytes.
 *
 * <p>Using a weight is collective, in the same order on all ranks. One thread.
 */
final class WeightGatherer implements AutoCloseable {
  private static final int NONE = -1;

  /** By the first block of a bucket. */
  private final TreeMap<Integer, List<ValueShard>> blocks = new TreeMap<>();

  private final Map<Dtype, Slots> slots = new EnumMap<>(Dtype.class);
  private final IdentityHashMap<Bucket, Coming> coming = new IdentityHashMap<>();
  private final IdentityHashMap<Bucket, Tensor> here = new IdentityHashMap<>();
  private int last = NONE;
  private boolean backwards;
  private boolean writing;

  /** A bucket on its way. */
  private record Coming(Tensor slot, Pending gather) {}

  /** Gathers the buckets of these slices, whose values are shards. */
  WeightGatherer(ParameterStore store, List<ValueShard> slices) {
    for (ValueShard slice : slices) {
      Bucket bucket = slice.bucket();
      slots.computeIfAbsent(
          bucket.key().dtype(), it -> new Slots(it, store.device(), MemoryOwner.WEIGHTS));
      blocks.computeIfAbsent(bucket.key().block(), _ -> new ArrayList<>()).add(slice);
      bucket.valuesFrom(() -> demand(slice));
    }
  }

  private Slots slots(Bucket bucket) {
    return Objects.requireNonNull(slots.get(bucket.key().dtype()));
  }

  private Tensor demand(ValueShard wanted) {
    int block = wanted.bucket().key().block();
    if (writing) {
      return forWriting(wanted, block);
    }
    if (block != last) {
      backwards = last != NONE && block < last;
      forgetOthers(block);
      last = block;
    }
    launch(wanted);
    Tensor values = arrive(wanted);
    Integer next = backwards ? blocks.lowerKey(block) : blocks.higherKey(block);
    if (next != null && coming.isEmpty()) {
      for (ValueShard slice : blocks.getOrDefault(next, List.of())) {
        launch(slice);
      }
    }
    return values;
  }

  private void launch(ValueShard slice) {
    Bucket bucket = slice.bucket();
    if (!here.containsKey(bucket) && !coming.containsKey(bucket)) {
      Tensor slot = slots(bucket).take(bucket.length());
      try (Purpose _ = Purpose.of("weights of " + bucket.weights())) {
        coming.put(bucket, new Coming(slot, slice.group().allGather(slice.values(), slot)));
      } finally {
        if (!coming.containsKey(bucket)) { // another rank has failed
          slots(bucket).giveBack(slot);
        }
      }
    }
  }

  private Tensor arrive(ValueShard slice) {
    Coming one = coming.remove(slice.bucket());
    if (one == null) {
      throw new IllegalStateException(slice.bucket() + " was not launched");
    }
    one.gather().join();
    here.put(slice.bucket(), one.slot());
    return one.slot();
  }

  /** Frees what is here of other blocks, and what comes and is not wanted. */
  private void forgetOthers(int block) {
    for (Bucket bucket : List.copyOf(here.keySet())) {
      if (bucket.key().block() != block) {
        forget(bucket);
      }
    }
    for (Bucket bucket : List.copyOf(coming.keySet())) {
      if (bucket.key().block() != block) {
        Coming one = coming.remove(bucket);
        if (one != null) {
          one.gather().join();
          slots(bucket).giveBack(one.slot());
        }
      }
    }
  }

  private void forget(Bucket bucket) {
    Tensor slot = here.remove(bucket);
    if (slot != null) {
      bucket.releaseValues();
      slots(bucket).giveBack(slot);
    }
  }

  /** Forgets everything, since the shards have changed. */
  void invalidate() {
    forgetOthers(NONE);
    last = NONE;
  }

  /**
   * Runs what writes into weights, and keeps of it what belongs to this rank's shards. What is not
   * written stays. Not collective.
   */
  void write(Runnable fill) {
    invalidate();
    writing = true;
    try {
      fill.run();
    } finally {
      keepAll(NONE);
      writing = false;
    }
  }

  private Tensor forWriting(ValueShard wanted, int block) {
    keepAll(block);
    Tensor slot = slots(wanted.bucket()).take(wanted.bucket().length());
    Tensors.zero(slot);
    try (Tensor mine = Views.narrow(slot, 0, wanted.offset(), wanted.length())) {
      Copies.into(mine, wanted.values());
    }
    here.put(wanted.bucket(), slot);
    return slot;
  }

  /** Keeps this rank's part of everything that was written but one block's. */
  private void keepAll(int exceptBlock) {
    for (List<ValueShard> slices : blocks.values()) {
      for (ValueShard slice : slices) {
        Tensor slot = here.get(slice.bucket());
        if (slot != null && slice.bucket().key().block() != exceptBlock) {
          try (Tensor mine = Views.narrow(slot, 0, slice.offset(), slice.length())) {
            Copies.into(slice.values(), mine);
          }
          forget(slice.bucket());
        }
      }
    }
  }

  @Override
  public void close() {
    for (Bucket bucket : List.copyOf(here.keySet())) {
      forget(bucket);
    }
    slots.values().forEach(Slots::close);
  }
}
