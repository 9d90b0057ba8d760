package dev.duoka.tensor.nf4;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Quantizes one tensor as its rows come, and keeps what some pieces hold of it. All of the tensor
 * must come, since a mean over all its blocks is taken, but no more than a few rows and the scales
 * are here at once; of pieces that begin within a byte, all codes.
 *
 * <p>Works on the device of the bytes; waits for it once at the end. One thread.
 */
public final class Nf4Writer implements AutoCloseable {
  /** Bytes of codes that are made at once. */
  private static final long CHUNK = 1L << 22;

  private final Tensor packed;
  private final List<Nf4Layout.Place> places;
  private final List<@Nullable Tensor> codes = new ArrayList<>();
  private final Tensor scales;
  private final long elements;
  private long position;

  /**
   * A writer of one tensor.
   *
   * @param packed uint8 {@code [layout.bytes()]}, the weight that holds the pieces
   * @param tensor which of the weight's tensors it is
   * @param elements of the whole tensor
   */
  public Nf4Writer(Tensor packed, Nf4Layout layout, int tensor, long elements) {
    this.packed = packed;
    this.elements = elements;
    places = layout.places().stream().filter(place -> place.tensor() == tensor).toList();
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (Nf4Layout.Place place : places) {
        if (comesInPairs(place.piece())) {
          codes.add(null);
        } else {
          Tensor room = Tensors.empty(Dtype.UINT8, packed.device(), 2 * place.piece().codeBytes());
          Tensors.fill(room, Nf4.ZERO);
          codes.add(Scope.detach(room));
        }
      }
      scales =
          Scope.detach(
              Tensors.empty(Dtype.FLOAT32, packed.device(), Math.ceilDiv(elements, Nf4.BLOCK)));
    }
  }

  /** Whether what comes of a piece begins with a whole byte, so that it can be packed at once. */
  private static boolean comesInPairs(Nf4Piece piece) {
    return (piece.rows() == 1 ? piece.first() : piece.width()) % 2 == 0;
  }

  /** Whether any of the tensor is held: what has no pieces need not come. */
  public boolean isWanted() {
    return !places.isEmpty();
  }

  /**
   * Quantizes the next rows.
   *
   * @param rows {@code [n, columns]} on any device, in any floating type; whole blocks, except the
   *     last of the tensor
   */
  public void add(Tensor rows) {
    long count = rows.elements();
    boolean last = position + count == elements;
    if (position + count > elements || !(last || count % Nf4.BLOCK == 0)) {
      throw new IllegalArgumentException(
          count + " elements after " + position + " of " + elements + " are no whole blocks");
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor here = Copies.to(rows, packed.device());
      Tensor wide = Views.reshape(Views.dense(Copies.cast(here, Dtype.FLOAT32)), -1);
      Tensor ofRows = Tensors.empty(Dtype.UINT8, packed.device(), count);
      long whole = count / Nf4.BLOCK * Nf4.BLOCK;
      quantize(wide, ofRows, 0, whole, Nf4.BLOCK);
      quantize(wide, ofRows, whole, count - whole, count - whole);
      for (int i = 0; i < places.size(); i++) {
        keep(ofRows, places.get(i), codes.get(i));
      }
    }
    position += count;
  }

  /** Blocks of one width: their scales, and the codes of their elements. */
  private void quantize(Tensor wide, Tensor target, long start, long count, long width) {
    if (count == 0) {
      return;
    }
    Tensor blocks = Views.reshape(Views.narrow(wide, 0, start, count), -1, width);
    Tensor largest = Reductions.max(Elementwise.abs(blocks), false, 1);
    Copies.into(Views.narrow(scales, 0, (position + start) / Nf4.BLOCK, largest.size(0)), largest);
    Tensor relative = Elementwise.mul(blocks, Views.unsqueeze(inverse(largest), 1));
    Copies.into(
        Views.narrow(target, 0, start, count),
        Views.reshape(Indexing.above(relative, Nf4.valueMiddles()), -1));
  }

  /** 1 over each number, 0 where that is 0. */
  private static Tensor inverse(Tensor numbers) {
    Tensor zero = Tensors.zeros(Dtype.FLOAT32, numbers.device(), 1);
    Tensor one = Tensors.full(1, Dtype.FLOAT32, numbers.device(), 1);
    return Elementwise.where(Elementwise.equal(numbers, zero), zero, Elementwise.div(one, numbers));
  }

  /** Keeps what of the rows at {@link #position} belongs to a piece: packed, or in {@code room}. */
  private void keep(Tensor ofRows, Nf4Layout.Place place, @Nullable Tensor room) {
    Nf4Piece piece = place.piece();
    if (piece.rows() == 1) {
      long low = Math.max(position, piece.first());
      long high = Math.min(position + ofRows.size(0), piece.first() + piece.width());
      if (low < high) {
        Tensor held = Views.narrow(ofRows, 0, low - position, high - low);
        keep(held, place, room, low - piece.first());
      }
      return;
    }
    // Whole rows of the tensor have come, and the piece has a stretch of each.
    long row = position / piece.pitch();
    long rows = ofRows.size(0) / piece.pitch();
    if (position % piece.pitch() != 0 || ofRows.size(0) % piece.pitch() != 0) {
      throw new IllegalArgumentException("a piece of columns wants whole rows");
    }
    Tensor stretch =
        Views.narrow(Views.reshape(ofRows, rows, piece.pitch()), 1, piece.first(), piece.width());
    keep(Views.reshape(Views.dense(stretch), -1), place, room, row * piece.width());
  }

  private void keep(Tensor held, Nf4Layout.Place place, @Nullable Tensor room, long start) {
    long count = held.size(0);
    if (room != null) {
      Copies.into(Views.narrow(room, 0, start, count), held);
    } else if (count % 2 == 0) {
      pack(held, place, start / 2);
    } else { // the end of the piece
      Tensor even = Tensors.full(Nf4.ZERO, Dtype.UINT8, held.device(), count + 1);
      Copies.into(Views.narrow(even, 0, 0, count), held);
      pack(even, place, start / 2);
    }
  }

  /** Packs what was kept, and the scales, when all rows have come. */
  public void finish() {
    if (position != elements) {
      throw new IllegalStateException(position + " of " + elements + " elements have come");
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      for (int i = 0; i < places.size(); i++) {
        Tensor room = codes.get(i);
        if (room != null) {
          pack(room, places.get(i), 0);
        }
      }
      boolean doubled = !places.isEmpty() && places.getFirst().piece().doubled();
      if (doubled) {
        writeQuantized();
      } else {
        for (Nf4Layout.Place place : places) {
          Tensor bytes = bytes(place, place.piece().scalesAt(), place.piece().scales() * 4);
          Copies.into(Views.reinterpret(bytes, Dtype.FLOAT32), kept(scales, place.piece()));
        }
      }
    }
  }

  private Tensor bytes(Nf4Layout.Place place, long from, long count) {
    return Views.narrow(packed, 0, place.at() + from, count);
  }

  /** Packs an even number of codes into the bytes of a piece from one on. */
  private void pack(Tensor even, Nf4Layout.Place place, long first) {
    long length = even.size(0) / 2;
    Tensor pairs = Views.reshape(even, length, 2);
    for (long start = 0; start < length; start += CHUNK) {
      long count = Math.min(CHUNK, length - start);
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor part = Views.narrow(pairs, 0, start, count);
        Tensor upper = Copies.cast(Views.dense(Views.narrow(part, 1, 0, 1)), Dtype.FLOAT32);
        Elementwise.mulInPlace(upper, 16);
        Elementwise.addInPlace(upper, Views.narrow(part, 1, 1, 1));
        Copies.into(bytes(place, first + start, count), Views.reshape(upper, -1));
      }
    }
  }

  private void writeQuantized() {
    long blocks = scales.size(0);
    float mean = Nf4.mean(HostCopy.floats(scales));
    long groups = Math.ceilDiv(blocks, Nf4.SCALE_BLOCK);
    Tensor rest = Tensors.zeros(Dtype.FLOAT32, packed.device(), groups * Nf4.SCALE_BLOCK);
    Tensor offset = HostCopy.fromFloats(new float[] {mean}, Dtype.FLOAT32, packed.device(), 1);
    Copies.into(Views.narrow(rest, 0, 0, blocks), Elementwise.add(scales, offset, -1));
    Tensor grouped = Views.reshape(rest, groups, Nf4.SCALE_BLOCK);
    Tensor maxima = Reductions.max(Elementwise.abs(grouped), false, 1);
    Tensor relative = Elementwise.mul(grouped, Views.unsqueeze(inverse(maxima), 1));
    Tensor ofAll =
        Views.narrow(
            Views.reshape(
                Copies.cast(Indexing.above(relative, Nf4.dynamicMiddles()), Dtype.UINT8), -1),
            0,
            0,
            blocks);
    for (Nf4Layout.Place place : places) {
      Nf4Piece piece = place.piece();
      Tensor floats =
          Views.reinterpret(
              bytes(place, piece.floatsAt(), Float.BYTES * (1 + piece.maxima())), Dtype.FLOAT32);
      Copies.into(Views.narrow(floats, 0, 0, 1), offset);
      Copies.into(
          Views.narrow(floats, 0, 1, piece.maxima()),
          Views.narrow(maxima, 0, piece.firstMaximum(), piece.maxima()));
      Copies.into(bytes(place, piece.scalesAt(), piece.scales()), kept(ofAll, piece));
    }
  }

  /** The numbers of those blocks whose scales a piece keeps. */
  private static Tensor kept(Tensor ofBlocks, Nf4Piece piece) {
    if (piece.rows() == 1) {
      return Views.narrow(ofBlocks, 0, piece.firstBlock(0), piece.scales());
    }
    long[] blocks = new long[Math.toIntExact(piece.scales())];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = piece.blockOf(i);
    }
    Tensor places = HostCopy.fromLongs(blocks, ofBlocks.device(), blocks.length);
    return Views.reshape(Indexing.rows(Views.reshape(ofBlocks, -1, 1), places), -1);
  }

  @Override
  public void close() {
    for (Tensor room : codes) {
      if (room != null) {
        room.close();
      }
    }
    scales.close();
  }
}
