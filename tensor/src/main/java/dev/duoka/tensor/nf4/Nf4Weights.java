package dev.duoka.tensor.nf4;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.Nf4Kernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Views;

/**
 * Makes numbers of weights in 4 bits: one pass over memory on a GPU, and a composition of operators
 * elsewhere, which is the truth that the kernel is tested against. Launches asynchronously.
 */
public final class Nf4Weights {
  private Nf4Weights() {}

  /**
   * The numbers that a weight stands for: each value times its scale in fp32, rounded once to the
   * target's dtype.
   *
   * @param packed uint8 {@code [layout.bytes()]}
   * @param target {@code [layout.elements()]} of any floating type; receives them
   */
  public static void dequantize(Tensor packed, Nf4Layout layout, Tensor target) {
    if (Nf4Kernel.take(target)) {
      for (Nf4Layout.Run run : layout.runs()) {
        launch(packed, run, target);
      }
      return;
    }
    for (Nf4Layout.Place place : layout.places()) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        compose(packed, place, target);
      }
    }
  }

  private static void launch(Tensor packed, Nf4Layout.Run run, Tensor target) {
    Nf4Layout.Place place = run.first();
    Nf4Piece piece = place.piece();
    Nf4Kernel.dequantize(
        packed,
        target,
        new Nf4Kernel.Pieces(
            run.count(),
            place.at(),
            run.bytes(),
            place.target(),
            run.elements(),
            piece.rows(),
            piece.width(),
            place.targetPitch(),
            piece.first(),
            piece.pitch(),
            piece.perRow(),
            piece.floatsAt(),
            piece.scalesAt(),
            piece.doubled()));
  }

  private static void compose(Tensor packed, Nf4Layout.Place place, Tensor target) {
    Nf4Piece piece = place.piece();
    Tensor values = values(packed, place);
    Tensor scales = Views.unsqueeze(scales(packed, place), 2); // [rows, blocks, 1]
    long perRow = piece.perRow();
    Tensor spread =
        Views.reshape(
            Views.dense(Views.expand(scales, 2, Nf4.BLOCK)), piece.rows(), perRow * Nf4.BLOCK);
    if (piece.isEven()) {
      Elementwise.mulInPlace(
          values, Views.narrow(spread, 1, piece.first() % Nf4.BLOCK, piece.width()));
    } else {
      for (long row = 0; row < piece.rows(); row++) {
        long start = (piece.first() + row * piece.pitch()) % Nf4.BLOCK;
        Elementwise.mulInPlace(
            Views.row(values, row), Views.narrow(Views.row(spread, row), 0, start, piece.width()));
      }
    }
    Copies.into(part(target, place), values);
  }

  /** The values of the codes, fp32 {@code [rows, width]}. */
  private static Tensor values(Tensor packed, Nf4Layout.Place place) {
    Nf4Piece piece = place.piece();
    float[] pairs = new float[512]; // what each byte stands for
    float[] values = Nf4.values();
    for (int code = 0; code < 256; code++) {
      pairs[2 * code] = values[code >> 4];
      pairs[2 * code + 1] = values[code & 15];
    }
    Tensor table = HostCopy.fromFloats(pairs, Dtype.FLOAT32, packed.device(), 256, 2);
    Tensor codes = Views.narrow(packed, 0, place.at(), piece.codeBytes());
    Tensor flat = Views.reshape(Indexing.rows(table, Copies.cast(codes, Dtype.INT64)), -1);
    return Views.reshape(Views.narrow(flat, 0, 0, piece.size()), piece.rows(), piece.width());
  }

  /** The scales of the blocks that each row touches, fp32 {@code [rows, blocks]}. */
  private static Tensor scales(Tensor packed, Nf4Layout.Place place) {
    Nf4Piece piece = place.piece();
    long kept = piece.scales();
    if (!piece.doubled()) {
      Tensor bytes = Views.narrow(packed, 0, place.at() + piece.scalesAt(), kept * Float.BYTES);
      return Views.reshape(Views.reinterpret(bytes, Dtype.FLOAT32), piece.rows(), piece.perRow());
    }
    Tensor floats =
        Views.reinterpret(
            Views.narrow(
                packed, 0, place.at() + piece.floatsAt(), Float.BYTES * (1 + piece.maxima())),
            Dtype.FLOAT32);
    long[] places = new long[Math.toIntExact(kept)];
    for (int i = 0; i < places.length; i++) {
      places[i] = 1 + piece.blockOf(i) / Nf4.SCALE_BLOCK - piece.firstMaximum();
    }
    Tensor maxima =
        Indexing.rows(
            Views.reshape(floats, -1, 1),
            HostCopy.fromLongs(places, packed.device(), places.length));
    Tensor map = HostCopy.fromFloats(Nf4.dynamicValues(), Dtype.FLOAT32, packed.device(), 256, 1);
    Tensor codes = Views.narrow(packed, 0, place.at() + piece.scalesAt(), kept);
    Tensor scales = Indexing.rows(map, Copies.cast(codes, Dtype.INT64));
    Elementwise.mulInPlace(scales, maxima);
    Elementwise.addInPlace(
        scales, Views.expand(Views.reshape(Views.narrow(floats, 0, 0, 1), 1, 1), 0, kept));
    return Views.reshape(scales, piece.rows(), piece.perRow());
  }

  /** Where a piece's elements belong in what is held, {@code [rows, width]}. */
  private static Tensor part(Tensor target, Nf4Layout.Place place) {
    Nf4Piece piece = place.piece();
    if (piece.rows() == 1) {
      return Views.slice(target, place.target(), 1, piece.width());
    }
    long pitch = place.targetPitch();
    Tensor rows = Views.reshape(target, -1, pitch);
    return Views.narrow(
        Views.narrow(rows, 0, place.target() / pitch, piece.rows()),
        1,
        place.target() % pitch,
        piece.width());
  }
}
