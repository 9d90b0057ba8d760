package dev.duoka.planner.search;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Interconnect;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.memory.BookedMemory;
import dev.duoka.planner.memory.MemoryDemand;
import dev.duoka.planner.time.PricedSteps;
import dev.duoka.planner.time.StepTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** Searches all layouts of a model on a machine. */
public final class Planner {
  /** Kinds of layout that are reported, and layouts of the front. */
  private static final int SHOWN = 6;

  private static final int SHOWN_MISFITS = 3;

  private static final Comparator<Misfit> BY_LACK =
      Comparator.comparingDouble(Planner::lack).thenComparing(misfit -> misfit.layout().toString());

  private final Catalogue catalogue;
  private final BookedMemory booked = new BookedMemory();
  private final Map<MachineProfile, PricedSteps> priced = new ConcurrentHashMap<>();

  /** A planner that knows the cards of a catalogue. */
  public Planner(Catalogue catalogue) {
    this.catalogue = catalogue;
  }

  /** Searches and reports. */
  public PlanResult plan(PlanRequest request) {
    long start = System.nanoTime();
    Findings findings = search(request, SHOWN);
    Evaluator evaluator = findings.evaluator();
    List<Candidate> ranked = findings.ranked();
    List<Plan> plans = new ArrayList<>();
    for (Plan plan : findings.plans()) {
      plans.add(plan.because(Reasons.of(plan, findings, request)));
    }
    List<Change> changes = new ArrayList<>();
    List<ParetoFront.Shown> pareto = new ArrayList<>();
    List<Misfit> misfits = new ArrayList<>();
    // What would fit is another search, which knows nothing of this one but what was counted.
    Stream.<Runnable>of(
            () -> changes.addAll(changes(request, plans)),
            () -> {
              pareto.add(ParetoFront.of(findings, SHOWN));
              misfits.addAll(misfits(findings));
            })
        .parallel()
        .forEach(Runnable::run);
    List<RuleCheck> rules =
        plans.isEmpty() ? List.of() : new RulesOfThumb(request, evaluator, ranked).check();
    return new PlanResult(
        request,
        findings.searched(),
        findings.feasible(),
        plans,
        pareto.getFirst().plans(),
        pareto.getFirst().cut(),
        misfits,
        changes,
        rules,
        (System.nanoTime() - start) / 1e6);
  }

  /**
   * What would make the job fit, run in this version, or fit as it was asked for: what fits in fp32
   * alone, from host memory or with states in fewer bits is slower or rounds more.
   */
  private List<Change> changes(PlanRequest request, List<Plan> plans) {
    NearestChanges changes = new NearestChanges(this, request);
    if (plans.isEmpty()) {
      return changes.find();
    }
    if (plans.stream().noneMatch(Plan::runnable)) {
      List<Change> runnable = new NearestChanges(this, request).runnable();
      if (!runnable.isEmpty()) {
        return runnable;
      }
    }
    Layout best = plans.getFirst().layout();
    if (best.precision() != request.precisions().getFirst()) {
      return changes.find();
    }
    return best.offload() == Offload.NONE ? List.of() : changes.withoutHost();
  }

  /** The best plan alone, without reasons; empty where nothing fits. */
  public Optional<Plan> best(PlanRequest request) {
    return search(request, 1).plans().stream().findFirst();
  }

  private Evaluator evaluator(PlanRequest request) {
    return new Evaluator(
        request,
        catalogue,
        booked,
        request
            .machine()
            .profile()
            .map(profile -> priced.computeIfAbsent(profile, PricedSteps::new)));
  }

  /** How long a step of one layout takes, be it the best or not. */
  public StepTime time(PlanRequest request, Layout layout) {
    check(request);
    return evaluator(request).time(layout);
  }

  /** The layout that lacks least of those that do not fit, counted where the engine runs it. */
  public Optional<Misfit> nearestMisfit(PlanRequest request) {
    Findings findings = search(request, 1);
    return nearest(findings.misfits()).stream().map(findings.evaluator()::counted).min(BY_LACK);
  }

  /**
   * What a search saw.
   *
   * @param gpus of the machine
   * @param feasible layouts that fit, less those whose dry run did not
   * @param plans the best, whose memory is counted where the engine runs them
   * @param ranked all that fit as far as is known, best first
   * @param pareto the front of time, memory and cost
   * @param misfits those that lack least, and all that only a dry run refused
   */
  record Findings(
      Evaluator evaluator,
      int gpus,
      int searched,
      int feasible,
      List<Plan> plans,
      List<Candidate> ranked,
      ParetoFront pareto,
      List<Misfit> misfits) {
    /** All that fit as far as is known, also those of which only the fastest are ranked. */
    List<Candidate> candidates() {
      List<Candidate> all = new ArrayList<>(ranked);
      all.addAll(pareto.all().stream().filter(it -> !evaluator.isCounted(it.layout())).toList());
      return all;
    }
  }

  /** Goes through the choices of a request until something fits, and counts its memory. */
  Findings search(PlanRequest request, int most) {
    check(request);
    Evaluator evaluator = evaluator(request);
    Search search = new Search(evaluator);
    ConfirmedPlans confirmed = new ConfirmedPlans(evaluator, most);
    int all = request.machine().gpus();
    List<SearchSpace.Choice> choices = choices(request);
    List<Candidate> ranked = List.of();
    for (SearchSpace.Choice choice : choices) {
      SearchSpace.Choice first = choices.getFirst();
      search.begin(
          choice.precision() == first.precision() && choice.states().equals(first.states()));
      SearchSpace space = new SearchSpace(request, choice);
      for (int gpus : SearchSpace.divisors(all)) {
        if (gpus == all || !request.allGpus()) {
          space.forEach(gpus, search::visit);
        }
      }
      search.dropPlainZero3();
      ranked =
          new BucketSizes(request, evaluator)
              .with(new PipelineOrders(request, evaluator).with(search.ranked()));
      if (request.machine().profile().isPresent()) {
        ranked = new PricedCandidates(evaluator).with(ranked, search.pareto.all());
      }
      confirmed.take(ranked);
      if (!confirmed.plans().isEmpty()) {
        break;
      }
    }
    if (request.machine().profile().isPresent()) {
      confirmed.orderByTime();
    }
    List<Misfit> misfits = new ArrayList<>(search.nearest.values());
    misfits.addAll(confirmed.refused());
    return new Findings(
        evaluator,
        all,
        search.searched,
        search.feasible - refused(search.ranked(), confirmed.ranked()),
        confirmed.plans(),
        confirmed.ranked(),
        search.pareto,
        misfits);
  }

  /**
   * What is tried, one after the other: the fullest states in each arithmetic, fewer bits in the
   * first, and last what no engine runs here. Where some cards do not reach each other, each is
   * tried first without context parallelism, whose messages go through the hosts there, at a tenth
   * of the speed that is planned (bench/results/2026-11-28-peer-memory.md).
   */
  private static List<SearchSpace.Choice> choices(PlanRequest request) {
    List<SearchSpace.Choice> choices = new ArrayList<>();
    Precision preferred = request.precisions().getFirst();
    StateForm fullest = request.states().getFirst();
    for (Precision precision : request.precisions()) {
      choices.addAll(inTurn(request.machine(), precision, fullest));
    }
    if (!request.method().isAdapter()) {
      for (StateForm form : request.states().subList(1, request.states().size())) {
        if (allows(preferred, form)) {
          choices.addAll(inTurn(request.machine(), preferred, form));
        }
      }
    }
    for (Precision precision : request.precisions()) {
      choices.add(new SearchSpace.Choice(precision, fullest, true, true));
    }
    return choices;
  }

  private static List<SearchSpace.Choice> inTurn(
      Machine machine, Precision precision, StateForm form) {
    SearchSpace.Choice all = new SearchSpace.Choice(precision, form, true, false);
    return machine.linkOf(machine.gpus()) == Interconnect.PCIE_HOST
        ? List.of(new SearchSpace.Choice(precision, form, false, false), all)
        : List.of(all);
  }

  /** Whether states may be in a form: small updates of fp16 weights, for one, would be lost. */
  static boolean allows(Precision precision, StateForm form) {
    boolean wideExponent = precision == Precision.BF16 || precision == Precision.FP8;
    return wideExponent || (form.masterWeights() && form.gradients() == GradientForm.FP32);
  }

  /** How many of the layouts that fit by closed forms do not by dry runs, in whichever order. */
  private static int refused(List<Candidate> byForms, List<Candidate> byDryRuns) {
    Set<Layout> fitting = new HashSet<>();
    byDryRuns.forEach(it -> fitting.add(plain(it.layout())));
    return Math.toIntExact(
        byForms.stream().filter(it -> !fitting.contains(plain(it.layout()))).count());
  }

  /** As a search goes through layouts: the usual order of stages, the usual buckets. */
  private static Layout plain(Layout layout) {
    return layout.with(PipelineOrder.DEFAULT).inBucketsOf(1);
  }

  /** Collects candidates while the space is walked. */
  private static final class Search {
    private final Evaluator evaluator;
    private final Map<Object, Candidate> best = new HashMap<>();
    private ParetoFront pareto = new ParetoFront();
    private ParetoFront sound = new ParetoFront();
    private final Map<Object, Misfit> nearest = new HashMap<>();
    private boolean preferred;
    private int searched;
    private int feasible;

    Search(Evaluator evaluator) {
      this.evaluator = evaluator;
    }

    /** Forgets the candidates so far, of which none fits. */
    void begin(boolean isPreferred) {
      preferred = isPreferred;
      best.clear();
      pareto = new ParetoFront();
      sound = new ParetoFront();
      feasible = 0;
    }

    Fit visit(Layout layout) {
      searched++;
      MemoryDemand demand = evaluator.demand(layout);
      Fit fit = evaluator.fit(layout, demand);
      if (fit != Fit.FITS) {
        // What lacks least in fp32 or fewer bits, which are tried later, is no near miss.
        if (preferred) {
          keepNearest(layout, demand);
        }
        return fit;
      }
      feasible++;
      Candidate candidate =
          new Candidate(
              layout, demand.deviceBytes(), demand.hostBytes(), evaluator.seconds(layout));
      // Of layouts that a dry run decides on all are kept: the best may turn out not to fit.
      Object key = evaluator.isCounted(layout) ? layout : candidate.kind();
      best.merge(key, candidate, (a, b) -> b.score() < a.score() ? b : a);
      pareto.add(candidate);
      if (!gathersExperts(layout)) {
        sound.add(candidate);
      }
      return fit;
    }

    /** Those that fit by closed forms, best first. */
    List<Candidate> ranked() {
      return best.values().stream().sorted(Candidate.BEST_FIRST).toList();
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
    Precision preferred = request.precisions().getFirst();
    StateForm fullest = request.states().getFirst();
    if (!allows(preferred, fullest)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "states with " + fullest + " are for bf16 and fp8, not for " + preferred,
          "Leave master weights and fp32 gradients, or choose a card or precision with bf16.");
    }
  }

  /** The misfits nearest to fitting, nearest first: those that would be faster, if some would. */
  private static List<Misfit> misfits(Findings findings) {
    return nearest(fasterThanBest(findings)).stream()
        .map(findings.evaluator()::counted)
        .filter(misfit -> misfit.deviceGib() > 0 || misfit.hostGib() > 0)
        .sorted(BY_LACK)
        .limit(SHOWN_MISFITS)
        .toList();
  }

  /**
   * The misfits on as many cards as the best plan has, or on all where nothing fits, that are
   * faster than it by what times it; all of them where none is.
   */
  private static List<Misfit> fasterThanBest(Findings findings) {
    Optional<Plan> best = findings.plans().stream().findFirst();
    int gpus = best.map(plan -> plan.layout().gpus()).orElse(findings.gpus());
    List<Misfit> onAsMany =
        findings.misfits().stream().filter(it -> it.layout().gpus() == gpus).toList();
    List<Misfit> all = onAsMany.isEmpty() ? findings.misfits() : onAsMany;
    if (best.isEmpty()) {
      return all;
    }
    Evaluator evaluator = findings.evaluator();
    double most = PricedCandidates.APART * evaluator.seconds(best.get().layout());
    List<Misfit> near = all.stream().filter(it -> evaluator.seconds(it.layout()) < most).toList();
    evaluator.price(near.stream().map(Misfit::layout).toList());
    List<Misfit> faster =
        near.stream()
            .filter(it -> evaluator.time(it.layout()).total() < best.get().time().total())
            .toList();
    return faster.isEmpty() ? all : faster;
  }

  /** The nearest by what is known of them, one of each kind: a few more than are shown. */
  private static List<Misfit> nearest(List<Misfit> misfits) {
    Set<Object> axes = new HashSet<>();
    return misfits.stream()
        .sorted(BY_LACK)
        .filter(
            misfit ->
                axes.add(
                    List.of(
                        misfit.layout().tensor(),
                        misfit.layout().pipeline(),
                        misfit.layout().expert(),
                        misfit.layout().gpus())))
        .limit(2 * SHOWN_MISFITS)
        .toList();
  }
}
