package dev.duoka.train.preference;

import dev.duoka.base.Progress;
import dev.duoka.data.batch.PairSequences;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.train.step.RankState;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The log-probabilities that the reference model gives to each answer of a run. It is computed from
 * the model as it is before the first step, by the kernels and in the micro-batches of training: so
 * the first step's margins are 0 where nothing is left to chance.
 */
public final class References {
  /** Between two of these many micro-batches a run can be stopped. */
  private static final int TOGETHER = 16;

  /** What is computed in so many seconds is lost at most where the machine fails. */
  private static final long KEEP_EVERY_SECONDS = 20;

  private static final double[] NOTHING = {};

  private final RankState rank;
  private final Mesh mesh;
  private final int microBatch;
  private final boolean withoutAdapters;

  /**
   * Of one rank.
   *
   * @param microBatch sequences in a forward pass
   * @param withoutAdapters whether the frozen weights alone are the reference
   */
  public References(RankState rank, Mesh mesh, int microBatch, boolean withoutAdapters) {
    this.rank = rank;
    this.mesh = mesh;
    this.microBatch = microBatch;
    this.withoutAdapters = withoutAdapters;
  }

  /**
   * Computes those of all sets on all ranks and tells the sets. What the cache knows is not
   * computed again, and what is computed is kept there: every {@value #KEEP_EVERY_SECONDS} seconds,
   * when it is stopped, and at the end. Collective; waits for the device.
   *
   * @param sets by name, the same on all ranks
   * @param cache of the first rank; empty on the others
   * @param progress hears how many sequences are done
   * @param stop whether to end early, the same on all ranks; collective
   * @return whether it came to the end
   */
  public boolean compute(
      Map<String, PairSequences> sets,
      Optional<ReferenceCache> cache,
      Progress progress,
      BooleanSupplier stop) {
    Map<String, double[]> known = shared(sets, cache.map(ReferenceCache::known).orElse(Map.of()));
    long total = sets.values().stream().mapToLong(PairSequences::count).sum();
    long before = 0;
    long kept = System.nanoTime();
    boolean changed = false;
    for (Map.Entry<String, PairSequences> named : sets.entrySet()) {
      PairSequences set = named.getValue();
      ValidationBatches batches =
          new ValidationBatches(
              set, set.count(), mesh.dataRank(rank.world().rank()), mesh.data(), microBatch);
      int done = known.getOrDefault(named.getKey(), NOTHING).length;
      double[] all =
          Arrays.copyOf(known.getOrDefault(named.getKey(), NOTHING), Math.toIntExact(set.count()));
      while (done < all.length) {
        boolean stopped = stop.getAsBoolean();
        boolean late = System.nanoTime() - kept > TimeUnit.SECONDS.toNanos(KEEP_EVERY_SECONDS);
        if (changed && (stopped || late)) {
          cache.ifPresent(it -> it.keep(known));
          kept = System.nanoTime();
          changed = false;
        }
        if (stopped) {
          return false;
        }
        progress.reached("the reference's view of each answer", before + done, total);
        int first = done / (mesh.data() * microBatch);
        int count = Math.min(TOGETHER, batches.count() - first);
        place(some(batches, first, count), first, count, all);
        done = Math.min(all.length, (first + count) * mesh.data() * microBatch);
        known.put(named.getKey(), Arrays.copyOf(all, done));
        changed = true;
      }
      before += done;
      set.refer(all);
    }
    if (changed) {
      cache.ifPresent(it -> it.keep(known));
    }
    return true;
  }

  private double[] some(ValidationBatches batches, int first, int count) {
    int[] next = {first};
    return rank.step()
        .evaluator()
        .logProbabilities(count, () -> batches.read(next[0]++), withoutAdapters);
  }

  /** What the first rank knows, on all of them: whole micro-batches of all ranks. Collective. */
  private Map<String, double[]> shared(
      Map<String, PairSequences> sets, Map<String, double[]> known) {
    Map<String, double[]> all = new LinkedHashMap<>();
    int whole = mesh.data() * microBatch;
    sets.forEach(
        (name, set) -> {
          double[] mine = known.getOrDefault(name, NOTHING);
          int usable = mine.length == set.count() ? mine.length : mine.length / whole * whole;
          double[] length = {Math.min(usable, set.count())};
          rank.world().agreement().sum(length);
          double[] values = Arrays.copyOf(mine, (int) length[0]);
          rank.world().agreement().sum(values);
          all.put(name, values);
        });
    return all;
  }

  /** From one rank's sequences behind the other's to the order of the set. */
  private void place(double[] byRank, int first, int count, double[] all) {
    for (int data = 0; data < mesh.data(); data++) {
      for (int i = 0; i < count; i++) {
        for (int row = 0; row < microBatch; row++) {
          long index = ((long) (first + i) * mesh.data() + data) * microBatch + row;
          if (index < all.length) {
            all[(int) index] = byRank[(data * count + i) * microBatch + row];
          }
        }
      }
    }
  }
}
