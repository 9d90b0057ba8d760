package dev.duoka.train.evaluate;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.parallel.mesh.Mesh;
import java.util.Arrays;
import java.util.List;

/**
 * Sequences of any lengths as micro-batches of a mesh: as short as their longest allows, on every
 * data-parallel rank as many.
 *
 * @param rows sequences in a micro-batch, an even number
 * @param most the longest sequence that the model is prepared for
 */
record SequenceBatches(Mesh mesh, int rows, int most) {
  /** How many sequences all ranks take at once. */
  int together() {
    return rows * mesh.data();
  }

  /**
   * The micro-batch of a rank.
   *
   * @param tokens of each sequence, of {@link #together} at most; the rest are empty
   * @param from which places are targets: of each sequence from this one on
   */
  MicroBatch of(List<int[]> tokens, int[] from, int dataRank) {
    int longest = tokens.stream().mapToInt(each -> each.length).max().orElse(1);
    int length = Math.min(most, Math.ceilDiv(Math.max(1, longest - 1), unit()) * unit());
    long[] ids = new long[rows * length];
    long[] targets = new long[rows * length];
    Arrays.fill(targets, MicroBatch.MASKED);
    for (int row = 0; row < rows; row++) {
      int index = dataRank * rows + row;
      if (index < tokens.size()) {
        int[] sequence = tokens.get(index);
        for (int i = 0; i < length && i < sequence.length; i++) {
          ids[row * length + i] = sequence[i];
          if (i + 1 < sequence.length && i + 1 >= from[index]) {
            targets[row * length + i] = sequence[i + 1];
          }
        }
      }
    }
    return MicroBatch.of(rows, length, ids, targets).ofPairs(new double[rows]);
  }

  /** What lengths are multiples of, so that ranks can share a sequence. */
  private int unit() {
    return 2 * mesh.context() * mesh.tensor();
  }
}
