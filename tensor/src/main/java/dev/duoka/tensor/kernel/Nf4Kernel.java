package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;

/**
 * Weights in 4 bits as 16-bit or fp32 ones in one pass over memory. Launches asynchronously;
 * deterministic.
 */
public final class Nf4Kernel {
  private static final int THREADS = 256;

  /** Elements of a thread at once. */
  private static final int TOGETHER = 8;

  /** How often a thread goes round where there is much to do. */
  private static final int ROUNDS = 4;

  private static final KernelFamily KERNELS = new KernelFamily("nf4.cu");

  private Nf4Kernel() {}

  /**
   * Like rectangles that are equally far apart, of tensors in 4 bits; places in bytes or elements.
   *
   * @param count how many
   * @param at where the bytes of the first start
   * @param bytes from one to the next
   * @param target where the first's elements go
   * @param elements from one to the next there
   * @param rows of each
   * @param width of a row
   * @param targetPitch from one row to the next in the target
   * @param first where each starts in its whole tensor
   * @param pitch from one row to the next there
   * @param perRow scales that are kept for each row
   * @param floatsAt where mean and maxima start among its bytes
   * @param scalesAt likewise of the scales
   * @param doubled whether scales are in 8 bits, or else in fp32
   */
  public record Pieces(
      int count,
      long at,
      long bytes,
      long target,
      long elements,
      long rows,
      long width,
      long targetPitch,
      long first,
      long pitch,
      long perRow,
      long floatsAt,
      long scalesAt,
      boolean doubled) {
    /** Whether so many elements at once share a block, a row and an aligned place to go. */
    private boolean goTogether() {
      boolean oneRow = rows == 1;
      return width % TOGETHER == 0
          && first % TOGETHER == 0
          && target % TOGETHER == 0
          && elements % TOGETHER == 0
          && (oneRow || (pitch % TOGETHER == 0 && targetPitch % TOGETHER == 0));
    }
  }

  /** Whether numbers like these are made here. */
  public static boolean take(Tensor target) {
    return KernelFamily.serve(target) && KernelFamily.inPacks(target, KernelFamily.pack(target));
  }

  /**
   * Makes the numbers of some rectangles.
   *
   * @param packed uint8 {@code [n]}, at a multiple of 16 bytes
   * @param target {@code [elements]}, dense
   */
  public static void dequantize(Tensor packed, Tensor target, Pieces pieces) {
    if (!target.device().isCuda()) {
      return;
    }
    long groups = Math.ceilDiv(pieces.rows() * pieces.width(), (long) TOGETHER);
    long blocks = Math.ceilDiv(groups, (long) THREADS * ROUNDS);
    KERNELS
        .call(target, "dequantize")
        .grid(Math.toIntExact(blocks), pieces.count(), 1)
        .block(THREADS)
        .pointer(Views.addressOf(packed) + pieces.at())
        .pointer(Views.addressOf(target) + pieces.target() * target.dtype().bytes())
        .longInteger(pieces.bytes())
        .longInteger(pieces.elements())
        .longInteger(pieces.rows())
        .longInteger(pieces.width())
        .longInteger(pieces.targetPitch())
        .longInteger(pieces.first())
        .longInteger(pieces.pitch())
        .longInteger(pieces.perRow())
        .longInteger(pieces.floatsAt())
        .longInteger(pieces.scalesAt())
        .integer(pieces.doubled() ? 1 : 0)
        .integer(pieces.goTogether() ? 1 : 0)
        .launch();
  }
}
