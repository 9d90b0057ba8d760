package dev.duoka.planner.search;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Catalogue;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Precision;
import dev.duoka.planner.layout.EngineSupport;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.memory.BookedMemory;
import dev.duoka.planner.memory.MemoryDemand;
import dev.duoka.planner.memory.MemoryEstimate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Searches all layouts of a model on a machine. */
public final class Planner {
  /** Kinds of layout that are reported. */
  private static final int SHOWN = 8;

  private static final int SHOWN_PARETO = 10;
  private static final int SHOWN_MISFITS = 4;

  private final Catalogue catalogue;
  private final BookedMemory booked = new BookedMemory();

  /** A planner that knows the cards of a catalogue. */
  public Planner(Catalogue catalogue) {
    this.catalogue = catalogue;
  }

  /** Searches and reports. */
  public PlanResult plan(PlanRequest request) {
    long start = System.nanoTime();
    Findings findings = search(request);
    Evaluator evaluator = findings.evaluator();
    List<Misfit> overcounted = new ArrayList<>();
    List<Candidate> ranked = confirmed(ranked(findings.best()), evaluator, request, overcounted);
    List<Plan> plans = new ArrayList<>();
    for (Candidate candidate : shown(ranked, request)) {
      Plan plan = evaluator.plan(candidate.layout());
      plans.add(plan.because(Reasons.of(candidate, plan, ranked, findings, request)));
    }
    List<Plan> pareto =
        findings.pareto().shown(ranked, SHOWN_PARETO).stream()
            .map(candidate -> evaluator.plan(candidate.layout()))
            .filter(plan -> evaluator.fits(plan.memory()))
            .toList();
    // What fits in fp32 alone is slow: then too it is worth knowing what is missing for 16 bits.
    boolean preferred =
        !plans.isEmpty()
            && plans.getFirst().layout().precision() == request.precisions().getFirst();
    List<Change> changes = preferred ? List.of() : new NearestChanges(this, request).find();
    List<RuleCheck> rules =
        plans.isEmpty() ? List.of() : new RulesOfThumb(request, evaluator, ranked).check();
    return new PlanResult(
        request,
        findings.searched(),
        findings.feasible(),
        plans,
        pareto,
        misfits(findings, overcounted, ranked),
        changes,
        rules,
        (System.nanoTime() - start) / 1e6);
  }

  /**
   * The best plans alone, without reasons.
   *
   * @param runnable the first that the engine runs of those that {@link #plan} shows
   * @param ofAll the first of all
   */
  public record Best(Optional<Plan> runnable, Optional<Plan> ofAll) {
    /** What to go by: a plan that runs, else the first; empty where nothing fits. */
    public Optional<Plan> plan() {
      return runnable.or(() -> ofAll);
    }
  }

  /** The best plan that the engine runs, and the best of all. */
  public Best best(PlanRequest request) {
    Findings findings = search(request);
    List<Candidate> ranked = ranked(findings.best());
    return new Best(
        firstThatFits(
            ranked.stream().filter(candidate -> runs(candidate, request)), findings.evaluator()),
        firstThatFits(ranked.stream(), findings.evaluator()));
  }

  private static Optional<Plan> firstThatFits(Stream<Candidate> ranked, Evaluator evaluator) {
    return ranked
        .map(candidate -> evaluator.plan(candidate.layout()))
        .filter(plan -> evaluator.fits(plan.memory()))
        .findFirst();
  }

  /**
   * The candidates that may be shown, without those whose dry run does not fit. Only as many are
   * run as are needed.
   */
  private static List<Candidate> confirmed(
      List<Candidate> ranked, Evaluator evaluator, PlanRequest request, List<Misfit> overcounted) {
    List<Candidate> confirmed = new ArrayList<>(ranked);
    Set<Layout> fitting = new HashSet<>();
    while (true) {
      Optional<Candidate> unknown =
          shown(confirmed, request).stream()
              .filter(candidate -> !fitting.contains(candidate.layout()))
              .findFirst();
      if (unknown.isEmpty()) {
        return confirmed;
      }
      Layout layout = unknown.get().layout();
      MemoryEstimate memory = evaluator.memory(layout);
      if (evaluator.fits(memory)) {
        fitting.add(layout);
      } else {
        confirmed.remove(unknown.get());
        overcounted.add(evaluator.misfit(layout, memory));
      }
    }
  }

  /** The layout that lacks least of those that do not fit, counted where the engine runs it. */
  public Optional<Misfit> nearestMisfit(PlanRequest request) {
    Findings findings = search(request);
    return nearest(List.copyOf(findings.nearest().values())).stream()
        .map(findings.evaluator()::counted)
        .min(
            Comparator.comparingDouble(Planner::lack)
                .thenComparing(misfit -> misfit.layout().toString()));
  }

  /**
   * What a search saw.
   *
   * @param best the best candidate of each kind
   * @param pareto the front of time, memory and cost
   * @param nearest the misfit that lacks least of each kind
   */
  record Findings(
      Evaluator evaluator,
      int searched,
      int feasible,
      Map<Object, Candidate> best,
      ParetoFront pareto,
      Map<Object, Misfit> nearest) {}

  Findings search(PlanRequest request) {
    check(request);
    Evaluator evaluator = new Evaluator(request, catalogue, booked);
    Search search = new Search(evaluator, request.precisions().getFirst());
    int all = request.machine().gpus();
    for (Precision precision : request.precisions()) {
      SearchSpace space = new SearchSpace(request, precision);
      for (int gpus : SearchSpace.divisors(all)) {
        if (gpus == all || !request.allGpus()) {
          space.forEach(gpus, search::visit);
        }
      }
      if (search.feasible > 0) {
        break;
      }
    }
    search.dropPlainZero3();
    return new Findings(
        evaluator, search.searched, search.feasible, search.best, search.pareto, search.nearest);
  }

  /** Collects candidates while the space is walked. */
  private static final class Search {
    private final Evaluator evaluator;
    private final Map<Object, Candidate> best = new HashMap<>();
    private final Precision preferred;
    private ParetoFront pareto = new ParetoFront();
    private final ParetoFront sound = new ParetoFront();
    private final Map<Object, Misfit> nearest = new HashMap<>();
    private int searched;
    private int feasible;

    Search(Evaluator evaluator, Precision preferred) {
      this.evaluator = evaluator;
      this.preferred = preferred;
    }

    Fit visit(Layout layout) {
      searched++;
      MemoryDemand demand = evaluator.demand(layout);
      Fit fit = evaluator.fit(layout, demand);
      if (fit != Fit.FITS) {
        // What lacks least in fp32, which is tried last, would be far too slow to be worth it.
        if (layout.precision() == preferred) {
          keepNearest(layout, demand);
        }
        return fit;
      }
      feasible++;
      Candidate candidate = new Candidate(layout, demand.deviceBytes(), evaluator.seconds(layout));
      // Of layouts that a dry run decides on all are kept: the best may turn out not to fit.
      Object key = evaluator.isCounted(layout) ? layout : candidate.kind();
      best.merge(key, candidate, (a, b) -> b.score() < a.score() ? b : a);
      pareto.add(candidate);
      if (!gathersExperts(layout)) {
        sound.add(candidate);
      }
      return fit;
    }

    /**
     * Experts that every rank gathers anew are what published runs advise against: where expert
     * parallelism fits, such layouts are not proposed, however fast the links.
     */
    void dropPlainZero3() {
      if (best.values().stream().anyMatch(candidate -> candidate.layout().expert() > 1)) {
        best.values().removeIf(candidate -> gathersExperts(candidate.layout()));
        pareto = sound;
      }
    }

    private static boolean gathersExperts(Layout layout) {
      return layout.zero() == 3 && layout.expert() == 1 && layout.expertReplicas() > 1;
    }

    private void keepNearest(Layout layout, MemoryDemand demand) {
      Object mesh = Candidate.Mesh.of(layout);
      Misfit before = nearest.get(mesh);
      if (before == null || evaluator.lack(layout, demand) < lack(before)) {
        nearest.put(mesh, evaluator.misfit(layout, demand));
      }
    }
  }

  private static double lack(Misfit misfit) {
    return misfit.deviceGib() * misfit.layout().gpus() + misfit.hostGib();
  }

  private static void check(PlanRequest request) {
    for (Precision precision : request.precisions()) {
      if (!request.machine().card().has(ProductFormat.of(precision))) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            request.machine().card().name() + " does not compute in " + precision,
            "Use " + request.machine().card().halfPrecision() + ".");
      }
    }
  }

  private static List<Candidate> ranked(Map<Object, Candidate> best) {
    return best.values().stream()
        .sorted(
            Comparator.comparingDouble(Candidate::score)
                .thenComparing(candidate -> candidate.layout().toString()))
        .toList();
  }

  /** The best of each mesh and their next, and the first that the engine runs. */
  private static List<Candidate> shown(List<Candidate> ranked, PlanRequest request) {
    List<Candidate> shown = new ArrayList<>();
    Map<Object, Integer> ofMesh = new HashMap<>();
    for (Candidate candidate : ranked) {
      boolean room =
          shown.size() < SHOWN
              && shown.stream().noneMatch(other -> other.states().equals(candidate.states()))
              && ofMesh.merge(candidate.mesh(), 1, Integer::sum) <= 2;
      boolean firstThatRuns =
          runs(candidate, request) && shown.stream().noneMatch(other -> runs(other, request));
      if (room || firstThatRuns) {
        shown.add(candidate);
      }
    }
    return shown;
  }

  private static boolean runs(Candidate candidate, PlanRequest request) {
    return EngineSupport.missing(candidate.layout(), request.machine()).isEmpty();
  }

  /** The misfits nearest to fitting: those that would be faster, if there are some. */
  private static List<Misfit> misfits(
      Findings findings, List<Misfit> overcounted, List<Candidate> ranked) {
    List<Misfit> all = new ArrayList<>(findings.nearest().values());
    all.addAll(overcounted);
    return shownMisfits(all, findings, ranked).stream()
        .map(findings.evaluator()::counted)
        .filter(misfit -> misfit.deviceGib() > 0 || misfit.hostGib() > 0)
        .toList();
  }

  private static List<Misfit> shownMisfits(
      List<Misfit> all, Findings findings, List<Candidate> ranked) {
    if (ranked.isEmpty()) {
      return nearest(all);
    }
    double best = ranked.getFirst().seconds();
    List<Misfit> faster =
        all.stream().filter(it -> findings.evaluator().seconds(it.layout()) < best).toList();
    return nearest(faster.isEmpty() ? all : faster);
  }

  private static List<Misfit> nearest(List<Misfit> misfits) {
    Set<Object> axes = new HashSet<>();
    return misfits.stream()
        .sorted(
            Comparator.comparingDouble(Planner::lack)
                .thenComparing(misfit -> misfit.layout().toString()))
        .filter(
            misfit ->
                axes.add(
                    List.of(
                        misfit.layout().tensor(),
                        misfit.layout().pipeline(),
                        misfit.layout().expert(),
                        misfit.layout().gpus())))
        .limit(SHOWN_MISFITS)
        .toList();
  }
}
