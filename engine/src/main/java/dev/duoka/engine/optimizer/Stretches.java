package dev.duoka.engine.optimizer;

import dev.duoka.engine.optimizer.GradientSquares.Piece;
import dev.duoka.tensor.kernel.SquaresKernel;
import java.util.ArrayList;
import java.util.List;

/**
 * Pieces of parameters cut into stretches that a block of {@link SquaresKernel} sums. The sums of
 * one parameter's stretches lie side by side, in the order of slices and pieces.
 */
final class Stretches {
  private static final int PACK = 4;

  private final List<long[]> tables = new ArrayList<>();
  private final long[] ends;

  Stretches(List<List<Piece>> slices, int parameters) {
    long[] next = new long[parameters];
    for (List<Piece> slice : slices) {
      for (Piece piece : slice) {
        next[piece.parameter()] += count(piece);
      }
    }
    ends = new long[parameters];
    long end = 0;
    for (int parameter = 0; parameter < parameters; parameter++) {
      long begin = end;
      end += next[parameter];
      ends[parameter] = end;
      next[parameter] = begin;
    }
    for (List<Piece> slice : slices) {
      long[] table = new long[3 * slice.stream().mapToInt(piece -> (int) count(piece)).sum()];
      int at = 0;
      for (Piece piece : slice) {
        long padded = (piece.elements() + PACK - 1) / PACK * PACK;
        for (long start = 0; start < padded; start += SquaresKernel.STRETCH) {
          table[at++] = piece.start() + start;
          table[at++] = Math.min(SquaresKernel.STRETCH, padded - start);
          table[at++] = next[piece.parameter()]++;
        }
      }
      tables.add(table);
    }
  }

  private static long count(Piece piece) {
    return (piece.elements() + SquaresKernel.STRETCH - 1) / SquaresKernel.STRETCH;
  }

  /** How many stretches there are in all. */
  long count() {
    return ends.length == 0 ? 0 : ends[ends.length - 1];
  }

  /** Start, length and place of the sum of each stretch of a slice, one after the other. */
  long[] table(int slice) {
    return tables.get(slice).clone();
  }

  /** Where each parameter's sums end. */
  long[] ends() {
    return ends.clone();
  }
}
