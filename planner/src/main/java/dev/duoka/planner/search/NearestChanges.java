package dev.duoka.planner.search;

import dev.duoka.hardware.Machine;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Method;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.memory.StateBytes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Looks for what would make a job fit that does not: one change, else several. */
final class NearestChanges {
  private static final double GIB = 1L << 30;

  private final Planner planner;
  private final PlanRequest request;
  private final List<Change> changes = new ArrayList<>();

  NearestChanges(Planner planner, PlanRequest request) {
    this.planner = planner;
    // In fp32 more would fit, but so slowly that it is no remedy; fewer bits are a change of their
    // own.
    this.request =
        request
            .onAllGpus()
            .in(request.precisions().getFirst())
            .keeping(List.of(request.states().getFirst()));
  }

  /** What makes it fit. */
  List<Change> find() {
    Method method = request.method();
    fewerBits();
    moreHostMemory("", request);
    moreGpus();
    if (changes.isEmpty()) {
      combined();
    }
    if (changes.isEmpty()) {
      severalMachines();
    }
    if (!method.isAdapter() && !attempt("adapters only (method lora)", request.by(Method.LORA))) {
      moreHostMemory("adapters only (method lora) and ", request.by(Method.LORA));
    }
    if (method != Method.QLORA
        && !attempt("adapters beside 4-bit weights (method qlora)", request.by(Method.QLORA))) {
      moreHostMemory("adapters beside 4-bit weights (method qlora) and ", request.by(Method.QLORA));
    }
    shorter("", request);
    if (method != Method.QLORA && !anyRunnable()) {
      shorter("adapters beside 4-bit weights (method qlora) and ", request.by(Method.QLORA));
    }
    return runnableFirst();
  }

  /** Those after which this version runs it. */
  List<Change> runnable() {
    return find().stream().filter(Change::runnable).toList();
  }

  private boolean anyRunnable() {
    return changes.stream().anyMatch(Change::runnable);
  }

  private List<Change> runnableFirst() {
    return changes.stream().sorted(Comparator.comparing(change -> !change.runnable())).toList();
  }

  /** What makes it fit without the host's memory. */
  List<Change> withoutHost() {
    PlanRequest alone = request.on(request.machine().withHostMemory(0));
    for (StateForm form : PlanRequest.FORMS) {
      if (attemptForm(form, alone)) {
        break;
      }
    }
    return changes;
  }

  /** The fullest form that fits, where one does that was not asked for. */
  private boolean fewerBits() {
    return PlanRequest.FORMS.stream().anyMatch(form -> attemptForm(form, request));
  }

  private boolean attemptForm(StateForm form, PlanRequest of) {
    Precision precision = request.precisions().getFirst();
    return !request.method().isAdapter()
        && form.bytesPerWeight(precision) < request.states().getFirst().bytesPerWeight(precision)
        && Planner.allows(precision, form)
        && attempt(form.toString(), of.keeping(List.of(form)));
  }

  /** The longest that this version runs, else the longest that fits. */
  private void shorter(String before, PlanRequest changed) {
    Job job = changed.job();
    Optional<Change> longest = Optional.empty();
    for (int length = job.sequenceLength() / 2; length >= 512; length /= 2) {
      if (job.tokensPerStep() % length == 0) {
        Job its = new Job(length, job.tokensPerStep(), job.imbalance());
        String words = before + "sequences of " + length + " tokens";
        Optional<Change> found =
            planner.best(changed.doing(its)).map(plan -> new Change(words, Optional.of(plan)));
        longest = longest.or(() -> found);
        if (found.filter(Change::runnable).isPresent()) {
          longest = found;
          break;
        }
      }
    }
    longest.ifPresent(changes::add);
  }

  private boolean moreHostMemory(String before, PlanRequest changed) {
    Machine machine = changed.machine();
    for (int factor = 2; factor <= 8; factor *= 2) {
      double gib = machine.host().memoryGib() * factor;
      String change = before + Math.round(gib) + " GiB of host memory";
      if (attempt(change, changed.on(machine.withHostMemory(gib)))) {
        return true;
      }
    }
    return false;
  }

  private void moreGpus() {
    int most = request.machine().card().mostInMachine();
    for (int gpus = 2 * request.machine().gpus(); gpus <= most; gpus *= 2) {
      if (attempt(gpus + " of these cards", request.on(request.machine().withGpus(gpus)))) {
        return;
      }
    }
  }

  /** More cards with more host memory, smaller states with more host memory. */
  private void combined() {
    int most = request.machine().card().mostInMachine();
    for (int gpus = 2 * request.machine().gpus(); gpus <= most; gpus *= 2) {
      if (moreHostMemory(
          gpus + " of these cards and ", request.on(request.machine().withGpus(gpus)))) {
        break;
      }
    }
    StateForm small = new StateForm(MomentForm.BITS8, false, GradientForm.FP32);
    if (request.method() == Method.FULL && Planner.allows(request.precisions().getFirst(), small)) {
      moreHostMemory(small + " and ", request.keeping(List.of(small)));
    }
  }

  /** What the states alone need, spread over cards of several machines, which are not planned. */
  private void severalMachines() {
    if (request.method().isAdapter()) {
      return;
    }
    StateForm fullest = request.states().getFirst();
    double bytes =
        StateBytes.of(request.precisions().getFirst(), fullest).all()
            * request.shape().parameters();
    // A third of a card is left for activations and buffers.
    double card = request.machine().card().memoryGib() * GIB * 2 / 3;
    int most = request.machine().card().mostInMachine();
    long machines = (long) Math.ceil(bytes / card / most);
    changes.add(
        new Change(
            String.format(
                Locale.ROOT,
                "about %d machines of %d such cards, which this version does not plan: the states"
                    + " alone are %,.0f GiB",
                machines,
                most,
                bytes / GIB),
            Optional.empty()));
  }

  private boolean attempt(String change, PlanRequest changed) {
    Optional<Plan> plan = planner.best(changed);
    if (plan.isPresent()) {
      changes.add(new Change(change, plan));
    }
    return plan.isPresent();
  }
}
