package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import java.util.ArrayList;
import java.util.List;

/**
 * Tries larger buckets for the best layouts that a search has found: fewer exchanges, which is
 * worth something where layers are small or links slow to begin, for more memory and an end that
 * nothing hides. Those that are no better by closed forms are left out.
 */
final class BucketSizes {
  /** Of the best so many layouts other sizes are tried. */
  private static final int TRIED = 512;

  private static final int LARGEST = 8;

  private final PlanRequest request;
  private final Evaluator evaluator;

  BucketSizes(PlanRequest request, Evaluator evaluator) {
    this.request = request;
    this.evaluator = evaluator;
  }

  /** These candidates, and of each the best of those with larger buckets, best first. */
  List<Candidate> with(List<Candidate> ranked) {
    List<Candidate> all = new ArrayList<>(ranked);
    ranked.stream()
        .filter(candidate -> candidate.layout().exchangesBuckets())
        .filter(candidate -> evaluator.isCounted(candidate.layout()))
        .limit(TRIED)
        .forEach(
            candidate -> larger(candidate).stream().min(Candidate.BEST_FIRST).ifPresent(all::add));
    all.sort(Candidate.BEST_FIRST);
    return all;
  }

  private List<Candidate> larger(Candidate candidate) {
    Layout layout = candidate.layout();
    int layers = request.shape().layers() / layout.pipeline() / layout.order().stagesPerRank();
    List<Candidate> better = new ArrayList<>();
    for (int blocks = 2; blocks <= Math.min(LARGEST, layers); blocks *= 2) {
      Candidate other = evaluator.candidate(layout.inBucketsOf(blocks));
      if (evaluator.fit(other.layout(), evaluator.demand(other.layout())) == Fit.FITS
          && other.score() < candidate.score()) {
        better.add(other);
      }
    }
    return better;
  }
}
