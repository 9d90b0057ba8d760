package dev.duoka.planner.search;

import dev.duoka.planner.catalogue.Machine;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Looks for what would make a job fit that does not: one change at a time. */
final class NearestChanges {
  private static final int MOST_GPUS = 64;

  private final Planner planner;
  private final PlanRequest request;
  private final List<Change> changes = new ArrayList<>();

  NearestChanges(Planner planner, PlanRequest request) {
    this.planner = planner;
    this.request = request.quickly();
  }

  List<Change> find() {
    if (!request.method().isAdapter()) {
      attempt("16-bit main gradients", request.with(request.engine().withGradientBytes(2)));
    }
    if (request.method() == Method.FULL) {
      attempt("moments in 8 bits (method full-8bit)", request.by(Method.FULL_8BIT));
    }
    moreHostMemory();
    moreGpus();
    if (!request.method().isAdapter()) {
      attempt("adapters only (method lora)", request.by(Method.LORA));
    }
    if (request.method() != Method.QLORA) {
      attempt("adapters beside 4-bit weights (method qlora)", request.by(Method.QLORA));
    }
    Job job = request.job();
    for (int length = job.sequenceLength() / 2; length >= 512; length /= 2) {
      if (job.tokensPerStep() % length == 0
          && attempt(
              "sequences of " + length + " tokens",
              request.doing(new Job(length, job.tokensPerStep(), job.imbalance())))) {
        break;
      }
    }
    return changes;
  }

  private void moreHostMemory() {
    Machine machine = request.machine();
    for (int factor = 2; factor <= 8; factor *= 2) {
      double gib = machine.host().memoryGib() * factor;
      String change = Math.round(gib) + " GiB of host memory";
      if (attempt(change, request.on(machine.withHostMemory(gib)))) {
        return;
      }
    }
  }

  private void moreGpus() {
    for (int gpus = 2 * request.machine().gpus(); gpus <= MOST_GPUS; gpus *= 2) {
      if (attempt(gpus + " of these cards", request.on(request.machine().withGpus(gpus)))) {
        return;
      }
    }
  }

  private boolean attempt(String change, PlanRequest changed) {
    Optional<Plan> plan = planner.bestPlan(changed);
    plan.ifPresent(
        found ->
            changes.add(new Change(change, found.tokensPerSecond(), found.layout().toString())));
    return plan.isPresent();
  }
}
