package dev.duoka.train.preference;

import dev.duoka.base.Progress;
import dev.duoka.data.batch.PairSequences;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.train.step.RankState;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * The log-probabilities that the reference model gives to each answer of a run. It is computed from
 * the model as it is before the first step, by the kernels and in the micro-batches of training: so
 * the first step's margins are 0 where nothing is left to chance.
 */
public final class References {
  /** Between two of these many micro-batches a run can be stopped. */
  private static final int TOGETHER = 16;

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
   * Computes those of all sets on all ranks and tells the sets. Collective; waits for the device.
   *
   * @param sets by name, the same on all ranks
   * @param progress hears how many sequences are done
   * @param stop whether to end early, the same on all ranks; collective
   * @return whether it came to the end
   */
  public boolean compute(Map<String, PairSequences> sets, Progress progress, BooleanSupplier stop) {
    long total = sets.values().stream().mapToLong(PairSequences::count).sum();
    long[] done = {0};
    for (PairSequences set : sets.values()) {
      double[] all = new double[Math.toIntExact(set.count())];
      ValidationBatches batches =
          new ValidationBatches(
              set, set.count(), mesh.dataRank(rank.world().rank()), mesh.data(), microBatch);
      for (int first = 0; first < batches.count(); first += TOGETHER) {
        if (stop.getAsBoolean()) {
          return false;
        }
        progress.reached("the reference's view of each answer", done[0], total);
        int count = Math.min(TOGETHER, batches.count() - first);
        int[] next = {first};
        place(
            rank.step()
                .evaluator()
                .logProbabilities(count, () -> batches.read(next[0]++), withoutAdapters),
            first,
            count,
            all);
        done[0] = Math.min(total, done[0] + (long) count * mesh.data() * microBatch);
      }
      set.refer(all);
    }
    return true;
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

  /** What the sets were told, by name. */
  static Map<String, double[]> of(Map<String, PairSequences> sets) {
    Map<String, double[]> known = new LinkedHashMap<>();
    sets.forEach((name, set) -> known.put(name, set.references()));
    return known;
  }
}
