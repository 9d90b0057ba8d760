package dev.duoka.train.run;

import dev.duoka.base.DuokaException;
import dev.duoka.layout.Layout;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * How a run goes on with fewer cards: fewer data-parallel ranks, each cut as before, and the same
 * tokens in each step.
 *
 * @param ranks of the run, one for each card
 * @param overrides of the run file
 */
public record FewerRanks(int ranks, List<String> overrides) {
  public FewerRanks {
    overrides = List.copyOf(overrides);
  }

  /**
   * All ways that the run file admits, the most cards first.
   *
   * @param overrides that are laid over the file already
   */
  public static List<FewerRanks> of(Path file, List<String> overrides, RunConfig config) {
    ParallelSettings parallel = config.parallel();
    List<FewerRanks> ways = new ArrayList<>();
    for (int data = parallel.data() - 1; data >= 1; data--) {
      for (int expert = parallel.expert(); expert >= 1; expert--) {
        Optional<FewerRanks> way = admitted(file, overrides, config, data, expert);
        if (way.isPresent()) {
          ways.add(way.get());
          break;
        }
      }
    }
    return ways;
  }

  private static Optional<FewerRanks> admitted(
      Path file, List<String> overrides, RunConfig config, int data, int expert) {
    ParallelSettings parallel = config.parallel();
    if (data * parallel.context() * parallel.tensor() % expert != 0) {
      return Optional.empty();
    }
    List<String> changes =
        new ArrayList<>(
            List.of(
                "parallel.data=" + data,
                "parallel.expert=" + expert,
                "parallel.replicate=1",
                "parallel.empty_micro_batches=true",
                "training.micro_batch=" + BatchPlan.of(config).microBatch(),
                "device=" + config.device().kind().name().toLowerCase(Locale.ROOT)));
    if (!Layout.exchangesBuckets(data, parallel.context(), parallel.tensor())) {
      changes.add("parallel.blocks_per_bucket=1"); // there is nobody to exchange buckets with
    }
    List<String> all = new ArrayList<>(overrides);
    all.addAll(changes);
    try {
      int ranks = RunFile.read(file, all, RunChecks::problems).parallel().ranks();
      return Optional.of(new FewerRanks(ranks, changes));
    } catch (DuokaException e) {
      return Optional.empty();
    }
  }
}
