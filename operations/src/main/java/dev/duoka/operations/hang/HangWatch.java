package dev.duoka.operations.hang;

import dev.duoka.formats.heartbeat.Heartbeat;
import dev.duoka.formats.ledger.LedgerFile;
import dev.duoka.operations.process.ProcessIdentity;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Notices when the ranks of this machine do not get further. A rank that waits in an exchange waits
 * for others: late is then one that does not. Only where all wait the waits themselves count. One
 * thread.
 */
public final class HangWatch {
  /** A longer time between two looks was a pause of the whole machine, or of the watcher. */
  private static final long PAUSE_NANOS = 3_000_000_000L;

  private final Path run;
  private final int first;
  private final int ranks;
  private final long sinceNanos;
  private final Map<Integer, RankWatch> watches = new TreeMap<>();
  private HangLimits limits;
  private long lookedAt;
  private @Nullable Noticed noticed;

  /**
   * A watch of an attempt.
   *
   * @param first this machine's first rank
   * @param ranks how many it has
   * @param sinceNanos when the attempt began, in nanoseconds since 1970
   */
  public HangWatch(Path run, int first, int ranks, HangLimits limits, long sinceNanos) {
    this.run = run;
    this.first = first;
    this.ranks = ranks;
    this.limits = limits;
    this.sinceNanos = sinceNanos;
  }

  /** From now on other limits hold: more is known of the run. */
  public void expect(HangLimits known) {
    limits = known;
  }

  /** A hang as it was noticed. */
  private record Noticed(Set<Integer> late, long at, long limit) {}

  /** What a look has shown. */
  public enum Finding {
    /** All get further, as far as they must. */
    FINE,
    /** A hang has begun. */
    HANGS,
    /** The hang that was found goes on, and may still end. */
    STILL,
    /** The hang has lasted as long again as it took to notice. */
    LASTS,
    /** The rank that was late has moved again. */
    MOVES
  }

  /**
   * Looks at all ranks.
   *
   * @param processes those of the attempt
   * @param now on a clock that does not jump, in nanoseconds
   */
  public Finding look(List<ProcessIdentity> processes, long now) {
    Set<Long> pids = new HashSet<>();
    processes.forEach(process -> pids.add(process.pid()));
    boolean paused = lookedAt != 0 && now - lookedAt > PAUSE_NANOS;
    lookedAt = now;
    Set<Integer> moved = new HashSet<>();
    for (int rank = first; rank < first + ranks; rank++) {
      Optional<Heartbeat> heartbeat =
          Heartbeat.read(heartbeat(rank)).filter(it -> pids.contains(it.pid()));
      if (heartbeat.isEmpty()) {
        watches.remove(rank); // it has not begun
        continue;
      }
      RankWatch watch = watches.computeIfAbsent(rank, _ -> new RankWatch(heartbeat.get(), now));
      if (watch.see(heartbeat.get(), LedgerFile.progress(ledger(rank)), now)) {
        moved.add(rank);
      }
      if (paused) {
        watch.forgive(now);
      }
    }
    return judge(moved, paused, now);
  }

  private Finding judge(Set<Integer> moved, boolean paused, long now) {
    Noticed before = noticed;
    if (before == null) {
      Set<Integer> late = paused ? Set.of() : late(now);
      if (late.isEmpty()) {
        return Finding.FINE;
      }
      long limit = late.stream().mapToLong(rank -> watch(rank).limit(limits)).max().orElse(0);
      noticed = new Noticed(late, now, limit);
      return Finding.HANGS;
    }
    if (before.late().stream().anyMatch(moved::contains)) {
      noticed = null;
      return Finding.MOVES;
    }
    if (paused) {
      noticed = new Noticed(before.late(), now, before.limit());
      return Finding.STILL;
    }
    return now - before.at() > before.limit() ? Finding.LASTS : Finding.STILL;
  }

  /** The ranks that are late and wait for nobody; all where all wait and are late. */
  private Set<Integer> late(long now) {
    Set<Integer> late = new HashSet<>();
    watches.forEach(
        (rank, watch) -> {
          if (watch.isLate(limits, now)) {
            late.add(rank);
          }
        });
    if (late.isEmpty()) {
      return late;
    }
    Set<Integer> free = new HashSet<>(); // those that wait for nobody
    for (RankView view : views(now)) {
      if (view.waitsIn().isEmpty()) {
        free.add(view.rank());
      }
    }
    if (free.isEmpty()) {
      return late.size() == watches.size() ? late : Set.of();
    }
    late.retainAll(free);
    return late;
  }

  private RankWatch watch(int rank) {
    RankWatch watch = watches.get(rank);
    if (watch == null) {
      throw new IllegalStateException("rank " + rank + " is not watched");
    }
    return watch;
  }

  /** All ranks as their files show them now. */
  List<RankView> views(long now) {
    List<RankView> views = new ArrayList<>();
    watches.forEach(
        (rank, watch) ->
            views.add(RankView.of(ledger(rank), watch.heartbeat(), watch.stood(now), sinceNanos)));
    return views;
  }

  /** Says who waits for whom; takes a few seconds where processes do not answer. */
  public HangExplanation explain(List<ProcessIdentity> processes, long now) {
    return HangExplanation.of(views(now), processes);
  }

  private Path heartbeat(int rank) {
    return run.resolve("rank-" + rank + ".heartbeat");
  }

  private Path ledger(int rank) {
    return run.resolve("rank-" + rank + ".ledger");
  }
}
