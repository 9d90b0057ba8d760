package dev.duoka.train.checkpoint;

import dev.duoka.engine.parameter.Portion;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * What a rank sends of its state to another process, as whole numbers that it sends first.
 *
 * @param buffers which of the layout's state buffers
 * @param pieces of weights
 */
record PieceList(List<Integer> buffers, List<Piece> pieces) {
  /**
   * A stretch of what a rank holds of a weight.
   *
   * @param weight its number in the layout
   * @param portion what the rank holds of it
   * @param start the first element of that portion that is sent
   * @param length how many are
   */
  record Piece(int weight, Portion portion, long start, long length) {}

  long[] encoded() {
    LongStream.Builder numbers = LongStream.builder();
    numbers.add(buffers.size());
    buffers.forEach(numbers::add);
    numbers.add(pieces.size());
    for (Piece piece : pieces) {
      numbers.add(piece.weight()).add(piece.start()).add(piece.length());
      Portion portion = piece.portion();
      numbers.add(portion.dimension()).add(portion.whole().size());
      portion.whole().forEach(numbers::add);
      numbers.add(portion.stretches().size());
      for (Portion.Stretch stretch : portion.stretches()) {
        numbers.add(stretch.from()).add(stretch.to()).add(stretch.length());
        numbers.add(stretch.copies()).add(stretch.counted() ? 1 : 0);
      }
    }
    return numbers.build().toArray();
  }

  static PieceList decoded(long... numbers) {
    Numbers from = new Numbers(numbers);
    List<Integer> buffers = new ArrayList<>();
    for (long left = from.next(); left > 0; left--) {
      buffers.add((int) from.next());
    }
    List<Piece> pieces = new ArrayList<>();
    for (long left = from.next(); left > 0; left--) {
      int weight = (int) from.next();
      long start = from.next();
      long length = from.next();
      pieces.add(new Piece(weight, portion(from), start, length));
    }
    return new PieceList(buffers, pieces);
  }

  private static Portion portion(Numbers from) {
    int dimension = (int) from.next();
    List<Long> whole = new ArrayList<>();
    for (long left = from.next(); left > 0; left--) {
      whole.add(from.next());
    }
    List<Portion.Stretch> stretches = new ArrayList<>();
    for (long left = from.next(); left > 0; left--) {
      long start = from.next();
      long to = from.next();
      long length = from.next();
      int copies = (int) from.next();
      stretches.add(new Portion.Stretch(start, to, length, copies, from.next() == 1));
    }
    return new Portion(whole, dimension, stretches);
  }

  /** Numbers, one after the other. */
  private static final class Numbers {
    private final long[] all;
    private int position;

    Numbers(long... all) {
      this.all = all;
    }

    long next() {
      return all[position++];
    }
  }
}
