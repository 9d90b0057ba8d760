package dev.duoka.comm;

import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Views;
import java.util.List;

/**
 * The sum of the same stretch of several ranks' tensors, in the order of the ranks, a chunk at a
 * time: what it needs beside them is bounded, however large they are.
 */
public final class OrderedSum {
  /** Elements that are added at once. */
  static final long CHUNK = 1L << 22;

  private OrderedSum() {}

  /** The stretch of a tensor of {@code elements} that one of {@code size} ranks sums. */
  public static Stretch stretch(long elements, int rank, int size) {
    long each = (elements + size - 1) / size;
    long start = Math.min(elements, rank * each);
    return new Stretch(start, Math.min(elements, start + each) - start);
  }

  /** A part of a flat tensor. */
  public record Stretch(long start, long length) {}

  /**
   * Writes the sum of {@code stretch} of all {@code parts} to {@code target}, which may be that
   * stretch of one of them.
   *
   * @param parts flat, one for each rank, on any devices
   * @param target flat, of the stretch's length
   */
  public static void into(Tensor target, List<Tensor> parts, Stretch stretch) {
    for (long done = 0; done < stretch.length(); done += CHUNK) {
      long length = Math.min(CHUNK, stretch.length() - done);
      if (done > 0 && target.device().isMeta()) {
        return; // the first chunk, which is the longest, books what all others do
      }
      try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
        Tensor sum = null;
        for (Tensor part : parts) {
          Tensor there = Views.narrow(part, 0, stretch.start() + done, length);
          try (Tensor here = Copies.to(there, target.device())) {
            if (sum == null) {
              sum = Copies.dense(here);
            } else {
              Elementwise.addInPlace(sum, here);
            }
          }
        }
        if (sum != null) {
          Copies.into(Views.narrow(target, 0, done, length), sum);
        }
      }
    }
  }
}
