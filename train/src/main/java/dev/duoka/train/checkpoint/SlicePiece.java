package dev.duoka.train.checkpoint;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.parallel.state.ValueShard;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.MasterBuffer;
import dev.duoka.tensor.kernel.MomentBuffer;
import dev.duoka.tensor.op.RowCopy;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;

/**
 * What a rank's slice of the optimizer's states, or of frozen weights, has of one weight.
 *
 * @param parameter the weight, of which this rank may hold a portion
 * @param start the first element of that portion that is in the slice
 * @param length how many are
 * @param place where they are in the slice
 */
record SlicePiece(Parameter parameter, long start, long length, long place) {
  /** Numbers in few bits that are widened at once: 64 MiB of fp32, whole blocks of moments. */
  private static final long READ_ELEMENTS = 16L << 20;

  /** The pieces of a slice, in its order. */
  static List<SlicePiece> of(ValueShard slice) {
    List<SlicePiece> pieces = new ArrayList<>();
    for (Parameter parameter : slice.bucket().parameters()) {
      long first = Math.max(parameter.offset(), slice.offset());
      long end =
          Math.min(
              parameter.offset() + parameter.spec().elements(), slice.offset() + slice.length());
      if (first < end) {
        pieces.add(
            new SlicePiece(
                parameter, first - parameter.offset(), end - first, first - slice.offset()));
      }
    }
    return pieces;
  }

  /** Copies what a state has of some rows of the whole weight into them. */
  void give(Tensor state, Tensor rows, long firstRow, RowCopy copy) {
    long atOnce = state.dtype() == rows.dtype() ? length : READ_ELEMENTS;
    for (long done = 0; done < length; done += atOnce) {
      try (Tensor flat = Views.narrow(state, 0, place + done, Math.min(atOnce, length - done))) {
        portion().give(flat, start + done, rows, firstRow, copy);
      }
    }
  }

  /** As the other method, of master weights in any form. */
  void give(MasterBuffer master, Tensor rows, long firstRow, RowCopy copy) {
    if (!master.isRemainder()) {
      give(master.whole(), rows, firstRow, copy);
      return;
    }
    give(master::read, rows, firstRow, copy);
  }

  /** As the other method, of moments in any form. */
  void give(MomentBuffer moment, Tensor rows, long firstRow, RowCopy copy) {
    if (moment.scales() == null) {
      give(moment.values(), rows, firstRow, copy);
      return;
    }
    give(moment::read, rows, firstRow, copy);
  }

  /** A copy of a stretch in full precision. */
  private interface Stretches {
    Tensor read(long start, long length);
  }

  private void give(Stretches of, Tensor rows, long firstRow, RowCopy copy) {
    for (long done = 0; done < length; done += READ_ELEMENTS) {
      try (Tensor wide = of.read(place + done, Math.min(READ_ELEMENTS, length - done))) {
        portion().give(wide, start + done, rows, firstRow, copy);
      }
    }
  }

  /** The piece in parts that are widened at once, each where it lies. */
  List<SlicePiece> parts() {
    List<SlicePiece> parts = new ArrayList<>();
    for (long done = 0; done < length; done += READ_ELEMENTS) {
      long part = Math.min(READ_ELEMENTS, length - done);
      parts.add(new SlicePiece(parameter, start + done, part, place + done));
    }
    return parts;
  }

  /** The same piece where it lies by itself. */
  SlicePiece alone() {
    return new SlicePiece(parameter, start, length, 0);
  }

  /** Copies into a state what it has of some rows of the whole weight. */
  void take(Tensor rows, long firstRow, Tensor state) {
    try (Tensor flat = Views.narrow(state, 0, place, length)) {
      portion().take(rows, firstRow, flat, start);
    }
  }

  /** Whether it has anything of some rows of the whole weight. */
  boolean touches(long firstRow, long count) {
    return portion().touches(start, start + length, firstRow, count);
  }

  Portion portion() {
    return parameter.spec().portion();
  }
}
