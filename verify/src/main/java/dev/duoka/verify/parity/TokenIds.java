package dev.duoka.verify.parity;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.model.TokenBatch;
import dev.duoka.tensor.Device;
import java.util.Arrays;

/** A batch of sequences. Each token's target is the next one; the last of a sequence has none. */
final class TokenIds {
  private final long[] ids;
  private final int sequences;
  private final int length;

  /** Takes over {@code sequences · length} ids, sequence after sequence. */
  TokenIds(long[] ids, int sequences, int length) {
    this.ids = ids;
    this.sequences = sequences;
    this.length = length;
  }

  int sequences() {
    return sequences;
  }

  int length() {
    return length;
  }

  /** How many tokens have a target. */
  long targets() {
    return (long) sequences * (length - 1);
  }

  /** The ids with each token's next one as its target. */
  MicroBatch microBatch() {
    return microBatch(0, sequences);
  }

  /** The same of some of the sequences. */
  MicroBatch microBatch(int first, int count) {
    long[] tokens = Arrays.copyOfRange(ids, first * length, (first + count) * length);
    long[] targets = new long[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      targets[i] = i % length == length - 1 ? MicroBatch.MASKED : tokens[i + 1];
    }
    return MicroBatch.of(count, length, tokens, targets);
  }

  TokenBatch onDevice(Device device) {
    MicroBatch batch = microBatch();
    return new TokenBatch(batch.tokens(), batch.targets(), sequences, 0, device);
  }
}
