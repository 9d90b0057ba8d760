package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/**
 * Sorts the assignments of tokens to experts by expert, and moves rows along: n tokens, k experts
 * for each. Launches asynchronously; deterministic.
 */
public final class RoutingKernels {
  private static final KernelFamily KERNELS = new KernelFamily("routing.cu");

  private static final int THREADS = 256;

  /** Of a block that sorts, as in the source. */
  private static final int WARPS = THREADS / 32;

  /** What a sort is shared among: each block reads the counts of all. */
  private static final int SORTING_BLOCKS = 64;

  /** As far as 48 KiB of shared memory reach, with a number per warp and expert. */
  private static final int MOST_EXPERTS = 1024;

  /** Positions are 32-bit numbers within the sort. */
  private static final long MOST_ASSIGNMENTS = 1L << 30;

  /**
   * A sort.
   *
   * @param order int64 {@code [n·k]}: the assignment at each sorted position
   * @param position int64 {@code [n·k]}: the sorted position of each assignment
   * @param token int64 {@code [n·k]}: the token at each sorted position
   * @param ends int32 {@code [experts]}: where each expert's rows end
   * @param counts int64 {@code [experts]}: how many rows each expert has
   */
  public record Sorted(Tensor order, Tensor position, Tensor token, Tensor ends, Tensor counts) {}

  private RoutingKernels() {}

  /** Whether assignments {@code [n·k]} can be sorted, for a model that computes in this dtype. */
  public static boolean take(Tensor assignments, int experts, Dtype dtype) {
    return KernelFamily.serve(dtype, assignments.device())
        && assignments.isContiguous()
        && experts <= MOST_EXPERTS
        && assignments.elements() <= MOST_ASSIGNMENTS;
  }

  /** Whether rows {@code [n, w]} or {@code [n·k, w]} can be moved. */
  public static boolean takeRows(Tensor rows) {
    return KernelFamily.serve(rows) && KernelFamily.inPacks(rows, rows.size(1));
  }

  /** Whether {@link #values} serves numbers like these; a dry run needs no help with it. */
  public static boolean takeValues(Tensor values) {
    return values.device().isCuda()
        && values.dtype() == Dtype.FLOAT32
        && KernelFamily.serve(values)
        && values.isContiguous();
  }

  /**
   * Sorts by expert; assignments to one expert stay in their order.
   *
   * @param assignments the experts of each token, int64 {@code [n·k]}; a number that is no expert's
   *     stops the device with an error
   */
  public static Sorted sort(Tensor assignments, int experts, int perToken, Dtype dtype) {
    Device device = assignments.device();
    long count = assignments.elements();
    Sorted sorted =
        new Sorted(
            Tensors.empty(Dtype.INT64, device, count),
            Tensors.empty(Dtype.INT64, device, count),
            Tensors.empty(Dtype.INT64, device, count),
            Tensors.empty(Dtype.INT32, device, experts),
            Tensors.empty(Dtype.INT64, device, experts));
    int share = share(count);
    int blocks = Math.toIntExact(Math.max(1, (count + share - 1) / share));
    try (Tensor blockCounts = Tensors.empty(Dtype.INT32, device, blocks, experts)) {
      if (device.isCuda()) {
        KERNELS
            .call(dtype, device, "count_experts", 1)
            .grid(blocks)
            .block(THREADS)
            .sharedMemory(Integer.BYTES * experts)
            .pointer(Views.addressOf(assignments))
            .pointer(Views.addressOf(blockCounts))
            .integer(Math.toIntExact(count))
            .integer(share)
            .integer(experts)
            .launch();
        KERNELS
            .call(dtype, device, "sort_assignments", 1)
            .grid(blocks)
            .block(THREADS)
            .sharedMemory(Integer.BYTES * experts * (WARPS + 1))
            .pointer(Views.addressOf(assignments))
            .pointer(Views.addressOf(blockCounts))
            .pointer(Views.addressOf(sorted.order()))
            .pointer(Views.addressOf(sorted.position()))
            .pointer(Views.addressOf(sorted.token()))
            .pointer(Views.addressOf(sorted.ends()))
            .pointer(Views.addressOf(sorted.counts()))
            .integer(Math.toIntExact(count))
            .integer(share)
            .integer(experts)
            .integer(perToken)
            .launch();
      }
    }
    return sorted;
  }

  /** Assignments of a block: whole rounds of its warps. */
  private static int share(long count) {
    long each = (count + SORTING_BLOCKS - 1) / SORTING_BLOCKS;
    return Math.toIntExact(Math.max(1, (each + THREADS - 1) / THREADS) * THREADS);
  }

  /**
   * Copies each token's row to its sorted positions.
   *
   * @param rows {@code [n, w]}
   * @param position of each assignment, int64 {@code [n·k]}; -1 where it goes nowhere
   * @param count sorted rows
   * @return {@code [count, w]}
   */
  public static Tensor spread(Tensor rows, Tensor position, int perToken, long count) {
    Tensor sorted = Tensors.empty(rows.dtype(), rows.device(), count, rows.size(1));
    if (rows.device().isCuda() && rows.elements() > 0) {
      KERNELS
          .call(rows, "spread_rows")
          .grid(Math.toIntExact(rows.size(0)))
          .block(KernelFamily.threads(rows, rows.size(1)))
          .pointer(Views.addressOf(rows))
          .pointer(Views.addressOf(position))
          .pointer(Views.addressOf(sorted))
          .integer(perToken)
          .integer(Math.toIntExact(rows.size(1)))
          .launch();
    }
    return sorted;
  }

  /**
   * Sums the sorted rows of each token, in fp32 and in the order of its experts.
   *
   * @param sorted {@code [rows, w]}
   * @param position of each assignment, int64 {@code [n·k]}; -1 where it has no row
   * @param addend dense {@code [n, w]}, added to the sum before it is rounded; null for none
   * @return {@code [n, w]}
   */
  public static Tensor gather(
      Tensor sorted, Tensor position, int perToken, @Nullable Tensor addend) {
    long tokens = position.elements() / perToken;
    Tensor sums = Tensors.empty(sorted.dtype(), sorted.device(), tokens, sorted.size(1));
    if (sorted.device().isCuda() && sums.elements() > 0) {
      KERNELS
          .call(sorted, "gather_rows")
          .grid(Math.toIntExact(tokens))
          .block(KernelFamily.threads(sorted, sorted.size(1)))
          .pointer(Views.addressOf(sorted))
          .pointer(Views.addressOf(position))
          .pointer(addend == null ? 0 : Views.addressOf(addend))
          .pointer(Views.addressOf(sums))
          .integer(perToken)
          .integer(Math.toIntExact(sorted.size(1)))
          .launch();
    }
    return sums;
  }

  /**
   * Numbers in another order.
   *
   * @param values fp32
   * @param indices int64; -1 for none
   * @return fp32 of the shape given: the value at each index, 0 for none
   */
  public static Tensor values(Tensor values, Tensor indices, long... shape) {
    Tensor taken = Tensors.empty(Dtype.FLOAT32, values.device(), shape);
    int count = Math.toIntExact(taken.elements());
    if (values.device().isCuda() && count > 0) {
      KERNELS
          .call(values, "take_values")
          .grid((count + THREADS - 1) / THREADS)
          .block(THREADS)
          .pointer(Views.addressOf(values))
          .pointer(Views.addressOf(indices))
          .pointer(Views.addressOf(taken))
          .integer(count)
          .launch();
    }
    return taken;
  }

  /**
   * The opposite of {@link #values}.
   *
   * @param values fp32 {@code [n]}
   * @param position of each, int64 {@code [n]}; -1 where it goes nowhere
   * @return fp32 of the shape given: at each position its value, elsewhere anything
   */
  public static Tensor place(Tensor values, Tensor position, long... shape) {
    Tensor placed = Tensors.empty(Dtype.FLOAT32, values.device(), shape);
    int count = Math.toIntExact(position.elements());
    if (values.device().isCuda() && count > 0) {
      KERNELS
          .call(values, "place_values")
          .grid((count + THREADS - 1) / THREADS)
          .block(THREADS)
          .pointer(Views.addressOf(values))
          .pointer(Views.addressOf(position))
          .pointer(Views.addressOf(placed))
          .integer(count)
          .launch();
    }
    return placed;
  }

  /**
   * Keeps the rows of some experts of a sort: their positions count from the first of these rows,
   * and all others become -1.
   *
   * @param first expert whose rows are kept
   * @param experts whose rows are kept
   * @return where the rows of each of them end, int32 {@code [experts]}
   */
  public static Tensor keep(Sorted sorted, int first, int experts, Dtype dtype) {
    Device device = sorted.position().device();
    Tensor ends = Tensors.empty(Dtype.INT32, device, experts);
    int count = Math.toIntExact(sorted.position().elements());
    if (device.isCuda()) {
      KERNELS
          .call(dtype, device, "keep_rows", 1)
          .grid((Math.max(count, experts) + THREADS - 1) / THREADS)
          .block(THREADS)
          .pointer(Views.addressOf(sorted.position()))
          .pointer(Views.addressOf(sorted.ends()))
          .pointer(Views.addressOf(ends))
          .integer(count)
          .integer(first)
          .integer(experts)
          .launch();
    }
    return ends;
  }
}
