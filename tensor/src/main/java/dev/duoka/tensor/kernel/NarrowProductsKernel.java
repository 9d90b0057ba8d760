package dev.duoka.tensor.kernel;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.cuda.ComputeCapability;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.KernelCall;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.List;

/**
 * Two products of a wide matrix with narrow ones while it is read once: {@code dx = s · g · u} and
 * {@code du = gᵀ · x}. By a library they read it twice, and that is nearly all that they take.
 *
 * <p>For 16-bit elements and compute capability 8.0 and later; launches asynchronously;
 * deterministic. Sums are fp32.
 */
public final class NarrowProductsKernel {
  private static final ComputeCapability LEAST = new ComputeCapability(8, 0);

  /** As in the source. */
  private static final int ROWS = 64;

  private static final int COLUMNS = 128;
  private static final int STAGES = 3;
  private static final int THREADS = 128;
  private static final int PACK = 8;

  /** The widest of the narrow matrices, and the most parts of the wide one. */
  private static final int WIDEST = 32;

  private static final int MOST_PARTS = 3;

  /** Blocks that a large card holds at once; the same on any, so that memory is foreseeable. */
  private static final int BLOCKS = 264;

  private static final int SUM_THREADS = 128;

  private static final KernelFamily KERNELS =
      new KernelFamily("narrow_products.cu").withDynamicSharedMemory(sharedMemory(WIDEST));

  /**
   * Some columns of the wide matrix.
   *
   * @param u what they are multiplied with, dense {@code [m, width]}
   * @param column the first of the m
   */
  public record Part(Tensor u, long column) {
    private int rows() {
      return Math.toIntExact(u.size(0));
    }
  }

  private NarrowProductsKernel() {}

  /**
   * Whether such matrices are multiplied here. On {@code meta}, which stands for a card of today,
   * the answer is that of compute capability 8.0 and later.
   *
   * @param g {@code [n, columns]}, rows dense
   * @param x {@code [n, width · parts]}, rows dense
   * @param parts of one width
   */
  public static boolean take(Tensor g, Tensor x, List<Part> parts) {
    if (parts.isEmpty() || parts.size() > MOST_PARTS || !half(g) || !KernelFamily.serve(g)) {
      return false;
    }
    long width = parts.getFirst().u().size(1);
    return serves(width, parts.size())
        && g.size(0) > 0
        && x.size(1) == width * parts.size()
        && inPacks(g)
        && x.dtype() == g.dtype()
        && inPacks(x)
        && parts.stream().allMatch(part -> takes(part, g, width))
        && serves(g.device());
  }

  /** Whether narrow matrices of this width, for so many parts, are ever multiplied here. */
  public static boolean serves(long width, int parts) {
    return width % PACK == 0 && width <= WIDEST && parts <= MOST_PARTS;
  }

  private static boolean takes(Part part, Tensor g, long width) {
    return part.u().dtype() == g.dtype()
        && part.u().size(1) == width
        && part.u().size(0) % PACK == 0
        && part.column() % PACK == 0
        && KernelFamily.inPacks(part.u(), width);
  }

  private static boolean half(Tensor tensor) {
    return tensor.dtype() == Dtype.BFLOAT16 || tensor.dtype() == Dtype.FLOAT16;
  }

  /** Rows may lie apart, as those of some columns of a matrix do. */
  private static boolean inPacks(Tensor tensor) {
    return tensor.rank() == 2
        && tensor.strides()[1] == 1
        && tensor.strides()[0] % PACK == 0
        && (tensor.device().isMeta()
            || Views.addressOf(tensor) % ((long) PACK * tensor.dtype().bytes()) == 0);
  }

  private static boolean serves(Device device) {
    return device.isMeta()
        || CudaDriver.find()
                .orElseThrow()
                .device(device.index())
                .computeCapability()
                .compareTo(LEAST)
            >= 0;
  }

  /**
   * Multiplies.
   *
   * @param dx receives {@code s · g · u} of the parts, side by side: {@code [n, width · parts]}
   * @param scale s
   * @return {@code gᵀ · x} of the parts, one below the other: fp32 {@code [Σ m, width]}
   */
  public static Tensor run(Tensor g, Tensor x, List<Part> parts, Tensor dx, double scale) {
    if (!take(g, x, parts) || dx.size(0) != g.size(0) || dx.size(1) != x.size(1)) {
      throw new DuokaException(
          ErrorCode.TENSOR, "cannot multiply " + g + " with " + parts + " and " + x, "");
    }
    int rows = Math.toIntExact(g.size(0));
    int width = Math.toIntExact(parts.getFirst().u().size(1));
    int all = parts.stream().mapToInt(Part::rows).sum();
    int span = span(width);
    int beside = parts.stream().mapToInt(part -> Math.ceilDiv(part.rows(), span)).sum();
    int most = parts.stream().mapToInt(part -> Math.ceilDiv(part.rows(), span)).max().orElseThrow();
    int rowsOfBlock = Math.ceilDiv(Math.ceilDiv(rows, ROWS), Math.max(1, BLOCKS / beside)) * ROWS;
    int below = Math.ceilDiv(rows, rowsOfBlock);
    Tensor du = Tensors.empty(Dtype.FLOAT32, g.device(), all, width);
    try (Tensor dxParts = Tensors.empty(Dtype.FLOAT32, g.device(), most, rows, x.size(1));
        Tensor duParts = Tensors.empty(Dtype.FLOAT32, g.device(), below, all, width)) {
      if (g.device().isCuda() && rows > 0) {
        products(g, x, parts, dxParts, duParts, rowsOfBlock);
        sum(dxParts, duParts, parts, dx, du, scale);
      }
    }
    return du;
  }

  private static void products(
      Tensor g, Tensor x, List<Part> parts, Tensor dxParts, Tensor duParts, int rowsOfBlock) {
    int width = Math.toIntExact(duParts.size(2));
    int span = span(width);
    KernelCall call =
        KERNELS
            .call(g, "narrow_products", width / PACK)
            .grid(
                parts.stream().mapToInt(part -> Math.ceilDiv(part.rows(), span)).sum(),
                Math.toIntExact(duParts.size(0)),
                1)
            .block(THREADS)
            .sharedMemory(sharedMemory(width))
            .pointer(Views.addressOf(g))
            .longInteger(g.strides()[0])
            .pointer(Views.addressOf(x))
            .longInteger(x.strides()[0])
            .pointer(Views.addressOf(dxParts))
            .integer(Math.toIntExact(dxParts.size(2)))
            .pointer(Views.addressOf(duParts))
            .integer(Math.toIntExact(g.size(0)))
            .integer(rowsOfBlock);
    for (int i = 0; i < MOST_PARTS; i++) {
      boolean there = i < parts.size();
      call.pointer(there ? Views.addressOf(parts.get(i).u()) : 0)
          .integer(there ? Math.toIntExact(parts.get(i).column()) : 0)
          .integer(there ? parts.get(i).rows() : 0);
    }
    call.launch();
  }

  private static void sum(
      Tensor dxParts, Tensor duParts, List<Part> parts, Tensor dx, Tensor du, double scale) {
    int width = Math.toIntExact(du.size(1));
    long sums = du.elements() + dx.size(0) * dx.size(1);
    KernelCall call =
        KERNELS
            .call(dx, "narrow_products_sum", width / PACK)
            .grid(Math.toIntExact(Math.ceilDiv(sums, 4L * SUM_THREADS)))
            .block(SUM_THREADS)
            .pointer(Views.addressOf(dxParts));
    for (int i = 0; i < MOST_PARTS; i++) {
      call.integer(i < parts.size() ? Math.ceilDiv(parts.get(i).rows(), span(width)) : 0);
    }
    call.pointer(Views.addressOf(duParts))
        .integer(Math.toIntExact(duParts.size(0)))
        .pointer(Views.addressOf(dx))
        .longInteger(dx.strides()[0])
        .pointer(Views.addressOf(du))
        .integer(Math.toIntExact(dx.size(0)))
        .integer(Math.toIntExact(dx.size(1)))
        .integer(Math.toIntExact(du.size(0)))
        .floating((float) scale)
        .launch();
  }

  /** Columns of a block. */
  private static int span(int width) {
    return COLUMNS * (width > 2 * PACK ? 3 : 4);
  }

  private static int sharedMemory(int width) {
    int pitch = width + PACK;
    int elements = STAGES * ROWS * (COLUMNS + pitch) + span(width) * pitch;
    return Short.BYTES * elements;
  }
}
