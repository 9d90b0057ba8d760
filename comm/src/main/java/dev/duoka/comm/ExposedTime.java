package dev.duoka.comm;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.DeviceClock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * How long a rank did nothing but exchange with each group: what of its communication no
 * computation hides. On a GPU it is the time that the rank's stream copies or waits, by the
 * device's own clock; elsewhere what its thread spends in the calls and in {@link Pending#join}.
 *
 * <p>Measured only between {@link #start} and {@link #stop}, by four marks for each exchange.
 * Belongs to one rank and its thread.
 */
public final class ExposedTime implements AutoCloseable {
  private final Device device;
  private final Deque<DeviceClock> free = new ArrayDeque<>();
  private final List<DeviceClock> all = new ArrayList<>();
  private final List<TimedCommunicator> communicators = new ArrayList<>();
  private @Nullable Recording current;

  /** For a rank on a device. */
  public ExposedTime(Device device) {
    this.device = device;
  }

  /** The same ranks, and groups of them, whose exchange is measured. */
  public Communicator over(Communicator ranks) {
    return new TimedCommunicator(ranks, this);
  }

  /** Measures from here on. */
  public void start() {
    DeviceClock clock;
    if (free.isEmpty()) {
      clock = new DeviceClock(device);
      all.add(clock);
    } else {
      clock = free.pop();
    }
    current = new Recording(clock);
  }

  /**
   * As {@link #start}, and keeps when each exchange on a stream of its own ran.
   *
   * @return the clock of this recording, for others to mark on; this is its first mark
   */
  public DeviceClock startTrace() {
    start();
    Recording here = Objects.requireNonNull(current);
    here.clock.mark();
    communicators.forEach(
        ranks -> {
          String group = ranks.name();
          ranks.markWith(
              new ExchangeMarks() {
                @Override
                public int mark(long stream) {
                  return here.clock.mark(stream);
                }

                @Override
                public void note(int began, int ended) {
                  here.exchanges.add(new Stretch(group, began, ended));
                }
              });
        });
    return here.clock;
  }

  /** A communicator whose exchanges are measured. */
  void register(TimedCommunicator ranks) {
    communicators.add(ranks);
  }

  /** Measures no more; what was measured since {@link #start} can be read when it is there. */
  public Recording stop() {
    Recording done = current;
    if (done == null) {
      throw new IllegalStateException("stopped before it was started");
    }
    current = null;
    communicators.forEach(ranks -> ranks.markWith(null));
    return done;
  }

  /** Marks this moment; -1 while nothing is measured. */
  int mark() {
    return current == null ? -1 : current.clock.mark();
  }

  /** Notes the time since a mark. */
  void note(String group, int since) {
    Recording here = current;
    if (here != null && since >= 0) {
      here.stretches.add(new Stretch(group, since, here.clock.mark()));
    }
  }

  private record Stretch(String group, int from, int to) {}

  /** What was measured of some time. */
  public final class Recording {
    private final DeviceClock clock;
    private final List<Stretch> stretches = new ArrayList<>();
    private final List<Stretch> exchanges = new ArrayList<>();

    private Recording(DeviceClock clock) {
      this.clock = clock;
    }

    /** When the rank did nothing but exchange, in order; waits for the device. */
    public List<ExchangeSpan> alone() {
      return spans(stretches);
    }

    /** When exchanges ran on streams of their own, in the order of their launch; waits. */
    public List<ExchangeSpan> beside() {
      return spans(exchanges);
    }

    private List<ExchangeSpan> spans(List<Stretch> of) {
      return of.stream()
          .map(
              it ->
                  new ExchangeSpan(
                      it.group(), clock.milliseconds(it.from()), clock.milliseconds(it.to())))
          .toList();
    }

    /** Seconds of each group that was exchanged with; waits for the device. To be read once. */
    public Map<String, Double> seconds() {
      Map<String, Double> seconds = new TreeMap<>();
      for (Stretch stretch : stretches) {
        double milliseconds = clock.milliseconds(stretch.to()) - clock.milliseconds(stretch.from());
        seconds.merge(stretch.group(), milliseconds * 1e-3, Double::sum);
      }
      stretches.clear();
      exchanges.clear();
      clock.reset();
      free.push(clock);
      return seconds;
    }
  }

  @Override
  public void close() {
    all.forEach(DeviceClock::close);
  }
}
