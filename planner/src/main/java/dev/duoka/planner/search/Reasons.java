package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.planner.time.Cause;
import dev.duoka.planner.time.StepTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;

/** Says why a plan is where it is: what the nearest others would take, and for what. */
final class Reasons {
  private static final double GIB = 1L << 30;
  private static final int MOST = 4;

  /** Differences of time that no report shows. */
  private static final double NO_DIFFERENCE = 0.0005;

  private Reasons() {}

  /** Why one of the plans of a search is where it is. */
  static List<String> of(Plan plan, Planner.Findings findings, PlanRequest request) {
    List<String> reasons = new ArrayList<>();
    Evaluator evaluator = findings.evaluator();
    Candidate candidate = Candidate.of(plan);
    Plan first = findings.plans().getFirst();
    if (!plan.layout().equals(first.layout())) {
      reasons.add(difference(evaluator, candidate, Candidate.of(first), "the best"));
      return reasons;
    }
    List<Candidate> ranked = findings.ranked();
    reasons.add(
        String.format(
            Locale.ROOT,
            "%s; %.1f GiB stay free",
            fastest(plan, findings),
            request.machine().card().memoryGib() - plan.memory().total() / GIB));
    Layout best = candidate.layout();
    placeOfUpdate(findings.evaluator(), candidate, ranked).ifPresent(reasons::add);
    compare(
        findings.evaluator(),
        reasons,
        candidate,
        ranked,
        "ZeRO 3",
        l -> l.zero() == 3,
        best.zero() == 3);
    compare(
        findings.evaluator(),
        reasons,
        candidate,
        ranked,
        "ZeRO 0 or 1",
        l -> l.zero() <= 1,
        best.zero() <= 1);
    compare(
        findings.evaluator(),
        reasons,
        candidate,
        ranked,
        "expert parallelism",
        l -> l.expert() > 1,
        best.expert() > 1);
    compare(
        findings.evaluator(),
        reasons,
        candidate,
        ranked,
        "data parallelism alone",
        l -> l.data() == l.gpus() && l.expert() == 1,
        best.data() == best.gpus() && best.expert() == 1);
    compare(
        findings.evaluator(),
        reasons,
        candidate,
        ranked,
        "tensor parallelism",
        l -> l.tensor() > 1,
        best.tensor() > 1);
    compare(
        findings.evaluator(),
        reasons,
        candidate,
        ranked,
        "pipeline parallelism",
        l -> l.pipeline() > 1,
        best.pipeline() > 1);
    return reasons.size() > MOST ? reasons.subList(0, MOST) : reasons;
  }

  /**
   * That the best plan is the fastest, or how far it is behind one with more parts: of those that
   * are shown, or else of those that fit by their dry run.
   */
  private static String fastest(Plan best, Planner.Findings findings) {
    double seconds = best.time().total() / (1 + NO_DIFFERENCE);
    Optional<Plan> shown =
        findings.plans().stream()
            .filter(plan -> plan.time().total() < seconds)
            .min(Comparator.comparingDouble(plan -> plan.time().total()));
    Evaluator evaluator = findings.evaluator();
    Optional<Plan> faster =
        shown.or(
            () ->
                findings.ranked().stream()
                    .filter(it -> it.seconds() < seconds)
                    .sorted(Comparator.comparingDouble(Candidate::seconds))
                    .limit(MOST)
                    .map(it -> evaluator.plan(it.layout()))
                    .filter(plan -> evaluator.fits(plan.memory()))
                    .filter(plan -> plan.time().total() < seconds)
                    .findFirst());
    String of =
        String.format(
            Locale.ROOT,
            " of %d layouts that fit, of %d considered",
            findings.feasible(),
            findings.searched());
    return faster
        .map(
            plan ->
                String.format(
                    Locale.ROOT,
                    "within %.1f %% of the fastest (%s)%s, with fewer parts",
                    // Rounded up, so that it is within.
                    Math.ceil(1000 * (best.time().total() / plan.time().total() - 1)) / 10,
                    shown.isPresent()
                        ? "row " + (findings.plans().indexOf(plan) + 1)
                        : plan.layout().toString(),
                    of))
        .orElse("the fastest" + of);
  }

  /** Why states in host memory are updated where they are, and not at the other place. */
  private static Optional<String> placeOfUpdate(
      Evaluator evaluator, Candidate best, List<Candidate> ranked) {
    Layout layout = best.layout();
    if (layout.offload() != Offload.OPTIMIZER) {
      return Optional.empty();
    }
    OffloadUpdate update = layout.updatesOnHost() ? OffloadUpdate.DEVICE : OffloadUpdate.HOST;
    Layout other = layout.with(layout.zero(), layout.offload(), update, layout.states());
    String place = "with the update on the " + update + ": ";
    Optional<Candidate> fitting =
        ranked.stream().filter(it -> it.layout().equals(other)).findFirst();
    if (fitting.isPresent()) {
      return Optional.of(place + difference(evaluator, fitting.get(), best, "this"));
    }
    Misfit misfit = evaluator.counted(evaluator.misfit(other, evaluator.demand(other)));
    return misfit.deviceGib() > 0 || misfit.hostGib() > 0
        ? Optional.of(place + lacks(misfit))
        : Optional.empty();
  }

  private static String lacks(Misfit misfit) {
    return misfit.deviceGib() > 0
        ? String.format(Locale.ROOT, "each card lacks %.1f GiB", misfit.deviceGib())
        : String.format(Locale.ROOT, "the host lacks %.1f GiB", misfit.hostGib());
  }

  private static void compare(
      Evaluator evaluator,
      List<String> reasons,
      Candidate best,
      List<Candidate> ranked,
      String name,
      Predicate<Layout> kind,
      boolean isSo) {
    if (isSo) {
      return;
    }
    ranked.stream()
        .filter(other -> kind.test(other.layout()))
        .filter(other -> other.layout().gpus() == best.layout().gpus())
        .min(Comparator.comparingDouble(Candidate::seconds))
        .filter(other -> other.seconds() > 1.005 * best.seconds())
        .ifPresent(
            other ->
                reasons.add("with " + name + ": " + difference(evaluator, other, best, "this")));
  }

  /** How one differs from another: the whole, and the cause that differs most. */
  private static String difference(
      Evaluator evaluator, Candidate slower, Candidate faster, String name) {
    StepTime slow = evaluator.time(slower.layout());
    StepTime fast = evaluator.time(faster.layout());
    Cause most = Cause.GEMM;
    double largest = 0;
    for (Cause cause : Cause.values()) {
      double more = slow.of(cause) - fast.of(cause);
      if (more > largest) {
        largest = more;
        most = cause;
      }
    }
    double share = 100 * (slow.total() / fast.total() - 1);
    if (share < -100 * NO_DIFFERENCE) {
      return String.format(
          Locale.ROOT, "%.1f %% faster than %s, with more parts to it", -share, name);
    }
    return share < 0.5
        ? "as fast as " + name + ", with more parts to it"
        : String.format(
            Locale.ROOT,
            "%s%.0f %% slower than %s, most of it in %s (%s%.2f s against %s%.2f s)",
            mark(evaluator, slower),
            share,
            name,
            most,
            mark(evaluator, slower),
            slow.of(most),
            mark(evaluator, faster),
            fast.of(most));
  }

  /** What stands before the numbers of a layout that the engine cannot run. */
  private static String mark(Evaluator evaluator, Candidate candidate) {
    return evaluator.missing(candidate.layout()).isEmpty() ? "" : "~";
  }
}
