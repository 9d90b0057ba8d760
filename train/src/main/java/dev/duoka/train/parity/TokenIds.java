package dev.duoka.train.parity;

import dev.duoka.engine.function.LinearCrossEntropy;
import dev.duoka.model.TokenBatch;
import dev.duoka.tensor.Device;

/**
 * A batch of sequences. Each token's target is the next one; the last of a sequence has none.
 *
 * @param ids {@code sequences · length}, sequence after sequence
 */
record TokenIds(long[] ids, int sequences, int length) {
  /** How many tokens have a target. */
  long targets() {
    return (long) sequences * (length - 1);
  }

  TokenBatch onDevice(Device device) {
    long[] targets = new long[ids.length];
    for (int i = 0; i < ids.length; i++) {
      targets[i] = i % length == length - 1 ? LinearCrossEntropy.IGNORED : ids[i + 1];
    }
    return new TokenBatch(ids, targets, sequences, 0, device);
  }
}
