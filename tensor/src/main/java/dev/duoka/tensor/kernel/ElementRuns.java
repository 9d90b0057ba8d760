package dev.duoka.tensor.kernel;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.util.List;
import java.util.stream.LongStream;

/** Which elements of which weights lie in a flat buffer, one run behind the other. */
public final class ElementRuns {
  /** Numbers of a run in the table. */
  static final int FIELDS = 6;

  private final long[] table;

  /**
   * Neighbouring elements in the buffer that belong to one weight.
   *
   * @param start where they begin in the buffer
   * @param name of the weight ({@link ChanceBits#ofName})
   * @param skipped elements of the same stretch that come before, in another buffer
   * @param first the place in the whole weight of the first element, the skipped ones included
   * @param held the length of a row of what is held; 0 where all of it lies together in the whole
   *     weight, too
   * @param row the length of a row of the whole weight
   */
  public record Run(long start, long name, long skipped, long first, long held, long row) {}

  /**
   * Runs in the order of their starts; what lies before the next one's belongs to a run. Without
   * any, all of the buffer is padding.
   */
  public ElementRuns(List<Run> runs) {
    List<Run> all = runs.isEmpty() ? List.of(new Run(0, 0, 0, 0, 0, 0)) : runs;
    table =
        all.stream()
            .flatMapToLong(
                run ->
                    LongStream.of(
                        run.start(), run.name(), run.skipped(), run.first(), run.held(), run.row()))
            .toArray();
  }

  /** How many there are. */
  int count() {
    return table.length / FIELDS;
  }

  /** The runs, int64 {@code [runs, 6]}, for kernels. */
  public Tensor onDevice(Device device) {
    return HostCopy.fromLongs(table, device, count(), FIELDS);
  }

  /** Random bits for the elements of a stretch of the buffer. */
  void chance(long start, int length, long update, long[] bits) {
    int run = at(start);
    for (int i = 0; i < length; ) {
      while (run + 1 < count() && start + i >= start(run + 1)) {
        run++;
      }
      long end = run + 1 < count() ? Math.min(length, start(run + 1) - start) : length;
      long key = ChanceBits.key(name(run), update);
      while (i < end) {
        // Neighbours of one row are neighbours in the whole weight.
        int neighbours = (int) Math.min(end - i, leftInRow(run, start + i));
        ChanceBits.of(key, element(run, start + i), bits, i, neighbours);
        i += neighbours;
      }
    }
  }

  private long leftInRow(int run, long position) {
    long held = table[run * FIELDS + 4];
    return held == 0
        ? Long.MAX_VALUE
        : held - (position - start(run) + table[run * FIELDS + 2]) % held;
  }

  private int at(long position) {
    int low = 0;
    int high = count() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (start(middle) <= position) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }

  private long start(int run) {
    return table[run * FIELDS];
  }

  private long name(int run) {
    return table[run * FIELDS + 1];
  }

  /** The place in its whole weight of what lies at a position of the buffer. */
  public long element(long position) {
    return element(at(position), position);
  }

  private long element(int run, long position) {
    long within = position - start(run) + table[run * FIELDS + 2];
    long first = table[run * FIELDS + 3];
    long held = table[run * FIELDS + 4];
    return held == 0
        ? first + within
        : first + within / held * table[run * FIELDS + 5] + within % held;
  }
}
