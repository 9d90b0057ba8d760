package dev.duoka.tensor.nf4;

/**
 * A rectangle of a tensor in 4 bits, and how it lies in bytes: the codes of its elements, row by
 * row, two in a byte; then the scales of every block of the whole tensor that each of its rows
 * touches. Whatever the rectangle, its elements have the codes and scales of the whole tensor.
 *
 * <p>Doubly quantized, the tensor's mean and those maxima that its scales are relative to come
 * before the scales, in fp32. Each of the parts starts at a multiple of {@value #ALIGNMENT} bytes.
 *
 * @param elements of the whole tensor
 * @param first the place of its first element among them, in row-major order
 * @param pitch how far its rows are apart there
 * @param rows how many it has; those that touch each other count as one
 * @param width elements of a row
 * @param doubled whether scales are in 8 bits, or else in fp32
 */
public record Nf4Piece(
    long elements, long first, long pitch, long rows, long width, boolean doubled) {
  private static final int ALIGNMENT = 16;

  /** A rectangle; of several rows that touch each other one long row is made. */
  public Nf4Piece {
    if (first < 0 || rows < 1 || width < 1 || first + (rows - 1) * pitch + width > elements) {
      throw new IllegalArgumentException(
          rows + " rows of " + width + " from " + first + " of " + elements + " elements");
    }
    if (width == pitch) {
      width *= rows;
      pitch = width;
      rows = 1;
    }
  }

  /** How many elements it has. */
  public long size() {
    return rows * width;
  }

  /** Blocks of the whole tensor. */
  long blocks() {
    return Math.ceilDiv(elements, Nf4.BLOCK);
  }

  /** Whether its rows begin at the same place of a block. */
  boolean isEven() {
    return rows == 1 || pitch % Nf4.BLOCK == 0;
  }

  /** How many blocks a row touches at most: as many scales are kept for each row. */
  long perRow() {
    long before = isEven() ? first % Nf4.BLOCK : Nf4.BLOCK - 1;
    return (before + width - 1) / Nf4.BLOCK + 1;
  }

  /** The block that a row's first scale is of. */
  long firstBlock(long row) {
    return (first + row * pitch) / Nf4.BLOCK;
  }

  /** Which of the tensor's maxima is the first that is kept. */
  long firstMaximum() {
    return firstBlock(0) / Nf4.SCALE_BLOCK;
  }

  /** How many maxima are kept: those up to that of the last element. */
  long maxima() {
    long lastBlock = (first + (rows - 1) * pitch + width - 1) / Nf4.BLOCK;
    return lastBlock / Nf4.SCALE_BLOCK - firstMaximum() + 1;
  }

  /** The block whose scale is the given one of those kept; the last one for what fills up. */
  long blockOf(long scale) {
    return Math.min(firstBlock(scale / perRow()) + scale % perRow(), lastBlock());
  }

  private long lastBlock() {
    return (first + (rows - 1) * pitch + width - 1) / Nf4.BLOCK;
  }

  /** How many scales are kept. */
  long scales() {
    return rows * perRow();
  }

  /** Bytes of the codes. */
  long codeBytes() {
    return Math.ceilDiv(size(), 2);
  }

  /** Where mean and maxima start. */
  long floatsAt() {
    return aligned(codeBytes());
  }

  /** Where the scales start. */
  long scalesAt() {
    return floatsAt() + (doubled ? aligned(Float.BYTES * (1 + maxima())) : 0);
  }

  /** All bytes, up to the next multiple of the alignment. */
  public long bytes() {
    return scalesAt() + aligned(scales() * (doubled ? 1 : Float.BYTES));
  }

  private static long aligned(long bytes) {
    return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
  }
}
