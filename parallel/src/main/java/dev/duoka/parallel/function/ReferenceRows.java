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
 * @param token of each row, int64 {@code [room]}; one past the last where it is nobody's
 * @param assignment of each row, int64 {@code [room]}; one past the last where it is nobody's
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
   * @param rows that there is room for
   * @param mean rows on average
   */
  static ReferenceRows of(
      Tensor chosen, int perToken, int first, int here, long rows, long mean, ExpertRoom room) {
    Device device = chosen.device();
    long count = chosen.elements();
    if (device.isMeta()) {
      return new ReferenceRows(
          Tensors.empty(Dtype.INT32, device, here),
          Tensors.empty(Dtype.INT64, device, rows),
          Tensors.empty(Dtype.INT64, device, rows),
          count / perToken,
          perToken);
    }
    long[] choices = HostCopy.longs(chosen);
    long[] next = new long[here];
    long[] ends = new long[here];
    for (long expert : choices) {
      if (expert >= first && expert < first + here) {
        next[(int) expert - first]++;
      }
    }
    long end = 0;
    for (int expert = 0; expert < here; expert++) {
      long start = end;
      end += next[expert];
      next[expert] = start;
      ends[expert] = Math.min(end, rows);
    }
    if (end > rows) {
      room.note(end, mean);
    }
    long[] assignment = new long[Math.toIntExact(rows)];
    Arrays.fill(assignment, count);
    for (int i = 0; i < choices.length; i++) {
      long expert = choices[i] - first;
      if (expert >= 0 && expert < here) {
        long at = next[(int) expert]++;
        if (at < rows) {
          assignment[(int) at] = i;
        }
      }
    }
    long[] token = Arrays.stream(assignment).map(i -> i / perToken).toArray();
    return new ReferenceRows(
        Copies.cast(HostCopy.fromLongs(ends, device, here), Dtype.INT32),
        HostCopy.fromLongs(token, device, rows),
        HostCopy.fromLongs(assignment, device, rows),
        count / perToken,
        perToken);
  }

  @Override
  public long padding() {
    return 1;
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
    Tensor all = Indexing.sumRows(Views.dense(rows), target, count + 1);
    return Views.narrow(all, 0, 0, count);
  }

  @Override
  public void holdOn(Tape tape) {
    tape.hold(ends);
    tape.hold(token);
    tape.hold(assignment);
  }
}
