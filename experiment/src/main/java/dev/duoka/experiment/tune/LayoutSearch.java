package dev.duoka.experiment.tune;

import dev.duoka.layout.Layout;
import dev.duoka.train.config.RunConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * On GPUs: the planner's layouts first, then around the fastest of those the other settings of a
 * layout, one at a time, as long as one of them is faster.
 */
public final class LayoutSearch implements Search {
  private final Path file;
  private final RunConfig config;
  private final List<Layout> shortlist;
  private final Set<Candidate> centres = new LinkedHashSet<>();

  /**
   * A search for a run file.
   *
   * @param file as it is tried
   * @param config what it says
   * @param shortlist layouts for its model, batch and precision on this machine, the best first
   */
  public LayoutSearch(Path file, RunConfig config, List<Layout> shortlist) {
    this.file = file;
    this.config = config;
    this.shortlist = List.copyOf(shortlist);
  }

  @Override
  public List<Candidate> next(List<Tuned.Tried> tried) {
    if (tried.isEmpty()) {
      List<Candidate> first = new ArrayList<>(List.of(Candidate.AS_IT_IS));
      shortlist.stream()
          .map(LayoutSettings::of)
          .filter(candidate -> Choices.admits(file, config, candidate))
          .forEach(first::add);
      return first;
    }
    Optional<Candidate> best =
        tried.stream()
            .filter(one -> one.logSpeed().isPresent())
            .max(Comparator.comparingDouble(Tuned.Tried::tokensPerSecond))
            .map(Tuned.Tried::candidate);
    if (best.isEmpty() || !centres.add(best.get())) {
      return List.of();
    }
    List<Candidate> known = tried.stream().map(Tuned.Tried::candidate).toList();
    return LayoutSettings.around(file, config, best.get()).stream()
        .filter(candidate -> !known.contains(candidate))
        .toList();
  }
}
