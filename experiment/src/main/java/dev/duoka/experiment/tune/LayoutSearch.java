package dev.duoka.experiment.tune;

import dev.duoka.layout.Layout;
import dev.duoka.train.config.RunConfig;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * On GPUs: the planner's layouts first, then around the fastest of those, or around the run file as
 * it is where none of them trains, the other settings of a layout, one at a time, as long as one of
 * them is faster.
 */
public final class LayoutSearch implements Search {
  private final Path file;
  private final RunConfig config;

  /** The planner is seldom wrong by more. */
  private static final double HOPELESS = 1.25;

  private final List<Layout> shortlist;
  private final ToDoubleFunction<Candidate> seconds;
  private final Set<Candidate> centres = new LinkedHashSet<>();

  /**
   * A search for a run file.
   *
   * @param file as it is tried
   * @param config what it says
   * @param shortlist layouts for its model, batch and precision on this machine, the best first
   * @param seconds what a step is said to take; NaN where nobody knows
   */
  public LayoutSearch(
      Path file, RunConfig config, List<Layout> shortlist, ToDoubleFunction<Candidate> seconds) {
    this.file = file;
    this.config = config;
    this.shortlist = List.copyOf(shortlist);
    this.seconds = seconds;
  }

  @Override
  public List<Candidate> next(List<Tuned.Tried> tried) {
    if (tried.isEmpty()) {
      List<Candidate> first = new ArrayList<>(List.of(Candidate.AS_IT_IS));
      shortlist.stream()
          .map(layout -> LayoutSettings.of(file, config, layout))
          .filter(candidate -> Choices.admits(file, config, candidate))
          .forEach(first::add);
      return first;
    }
    // Where nothing trains the way to what does leads past the run file as it is.
    Candidate centre = fastest(tried).orElse(Candidate.AS_IT_IS);
    if (!centres.add(centre)) {
      return List.of();
    }
    List<Candidate> known = tried.stream().map(Tuned.Tried::candidate).toList();
    return LayoutSettings.around(file, config, centre).stream()
        .filter(candidate -> !known.contains(candidate))
        .toList();
  }

  /** What is said to take far longer than the fastest so far is not tried. */
  @Override
  public Optional<String> needless(Candidate candidate, List<Tuned.Tried> tried) {
    return fastest(tried)
        .flatMap(
            best -> {
              double times = seconds.applyAsDouble(candidate) / seconds.applyAsDouble(best);
              return times > HOPELESS
                  ? Optional.of(
                      String.format(
                          Locale.ROOT,
                          "not tried, the planner says that a step takes %.2f times as long as with"
                              + " '%s'",
                          times,
                          best))
                  : Optional.empty();
            });
  }

  private static Optional<Candidate> fastest(List<Tuned.Tried> tried) {
    return tried.stream()
        .filter(one -> one.logSpeed().isPresent())
        .max(Comparator.comparingDouble(Tuned.Tried::tokensPerSecond))
        .map(Tuned.Tried::candidate);
  }
}
