package dev.duoka.parallel.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Arrays;

/**
 * Sorted by the host, moved by LibTorch: the truth for {@link KernelRows}, on every device and in
 * every dtype.
 *
 * @param ends int32 {@code [experts here]}
 * @param token of each row, int64 {@code [rows]}
 * @param assignment of each row, int64 {@code [rows]}
 * @param tokens of all ranks
 * @param perToken k
 */
record ReferenceRows(Tensor ends, Tensor token, Tensor assignment, long tokens, int perToken)
    implements RowsHere {
  /**
   * Sorts; reads the choices back, and so waits for the device.
   *
   * @param chosen int64 {@code [m·k]}
   * @param first expert that is here
   * @param here experts
   */
  static ReferenceRows of(Tensor chosen, int perToken, int first, int here) {
    long[] choices = HostCopy.longs(chosen);
    int[] next = new int[here];
    for (long expert : choices) {
      if (expert >= first && expert < first + here) {
        next[(int) expert - first]++;
      }
    }
    long[] ends = new long[here];
    int end = 0;
    for (int expert = 0; expert < here; expert++) {
      int start = end;
      end += next[expert];
      next[expert] = start;
      ends[expert] = end;
    }
    long[] assignment = new long[end];
    for (int i = 0; i < choices.length; i++) {
      long expert = choices[i] - first;
      if (expert >= 0 && expert < here) {
        assignment[next[(int) expert]++] = i;
      }
    }
    long[] token = Arrays.stream(assignment).map(i -> i / perToken).toArray();
    Device device = chosen.device();
    return new ReferenceRows(
        Copies.cast(HostCopy.fromLongs(ends, device, here), Dtype.INT32),
        HostCopy.fromLongs(token, device, end),
        HostCopy.fromLongs(assignment, device, end),
        choices.length / perToken,
        perToken);
  }

  /** What a dry run books: every expert gets as many. */
  static ReferenceRows balanced(Tensor chosen, int perToken, int here, long rows) {
    Device device = chosen.device();
    return new ReferenceRows(
        Tensors.empty(Dtype.INT32, device, here),
        Tensors.empty(Dtype.INT64, device, rows),
        Tensors.empty(Dtype.INT64, device, rows),
        chosen.elements() / perToken,
        perToken);
  }

  @Override
  public Tensor spread(Tensor rows) {
    return Indexing.rows(rows, token);
  }

  @Override
  public Tensor gather(Tensor sortedRows) {
    return summed(sortedRows, token, tokens);
  }

  @Override
  public Tensor sort(Tensor values) {
    return Indexing.rows(values, assignment);
  }

  @Override
  public Tensor unsort(Tensor values) {
    return summed(values, assignment, tokens * perToken);
  }

  private static Tensor summed(Tensor rows, Tensor target, long count) {
    return count == 0 || rows.size(0) == 0
        ? Tensors.zeros(rows.dtype(), rows.device(), count, rows.size(1))
        : Indexing.sumRows(Views.dense(rows), target, count);
  }

  @Override
  public void holdOn(Tape tape) {
    tape.hold(ends);
    tape.hold(token);
    tape.hold(assignment);
  }
}
