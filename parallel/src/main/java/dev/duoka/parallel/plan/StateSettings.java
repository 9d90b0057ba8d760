package dev.duoka.parallel.plan;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.StateForm;

/**
 * In which form and where the optimizer's states and the gradients are kept, and how many lie
 * together.
 *
 * @param form in how many bits
 * @param offload what of it lives in host memory
 * @param update where states in host memory are updated
 * @param seed of the run, for rounding by chance
 * @param blocksPerBucket decoder layers whose weights lie in one bucket, at least 1 ({@link
 *     BucketBlocks})
 * @param fraction of the weights, those of the last buckets, whose states are in host memory where
 *     they pass through the device; all others' stay on it
 */
public record StateSettings(
    StateForm form,
    Offload offload,
    OffloadUpdate update,
    long seed,
    int blocksPerBucket,
    double fraction) {
  /** Everything in fp32 and on the device. */
  public static final StateSettings FULL =
      new StateSettings(StateForm.FULL, Offload.NONE, OffloadUpdate.DEVICE, 0);

  /** With a bucket for each block. */
  public StateSettings(StateForm form, Offload offload, OffloadUpdate update, long seed) {
    this(form, offload, update, seed, 1, 1);
  }

  /** As a layout says. */
  public static StateSettings of(Layout layout, long seed) {
    return new StateSettings(
        layout.states(),
        layout.offload(),
        layout.offloadUpdate(),
        seed,
        layout.blocksPerBucket(),
        layout.offloadFraction());
  }

  /** The same kept elsewhere, all of it. */
  public StateSettings with(Offload other, OffloadUpdate otherUpdate) {
    return new StateSettings(form, other, otherUpdate, seed, blocksPerBucket, 1);
  }

  /** The same with another part in host memory. */
  public StateSettings offloading(double part) {
    return new StateSettings(form, offload, update, seed, blocksPerBucket, part);
  }

  /** The same with so many blocks in a bucket. */
  public StateSettings inBucketsOf(int blocks) {
    return new StateSettings(form, offload, update, seed, blocks, fraction);
  }

  /** Whether the states live in host memory. */
  public boolean inHostMemory() {
    return offload != Offload.NONE;
  }

  /** Whether gradients live in host memory, too, and the host updates the weights. */
  public boolean updatesOnHost() {
    return inHostMemory() && update == OffloadUpdate.HOST;
  }

  /** Whether the states pass through the device, which updates them and the weights. */
  public boolean passThroughDevice() {
    return inHostMemory() && update == OffloadUpdate.DEVICE;
  }
}
