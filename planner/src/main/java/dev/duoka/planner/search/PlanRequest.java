package dev.duoka.planner.search;

import dev.duoka.hardware.Machine;
import dev.duoka.layout.Method;
import dev.duoka.layout.Precision;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;

/**
 * What a plan is asked for.
 *
 * @param model the model's name in reports
 * @param shape its shape
 * @param machine the cards
 * @param job what a step is to do
 * @param method which weights are trained
 * @param precisions the arithmetics to choose from; a later one only where nothing fits in those
 *     before
 * @param allGpus whether all cards must be used; else plans with fewer are searched too
 * @param engine the program that runs the step
 */
public record PlanRequest(
    String model,
    ModelShape shape,
    Machine machine,
    Job job,
    Method method,
    List<Precision> precisions,
    boolean allGpus,
    EngineTraits engine) {
  public PlanRequest {
    precisions = List.copyOf(precisions);
  }

  /** The same request for another machine. */
  public PlanRequest on(Machine other) {
    return new PlanRequest(model, shape, other, job, method, precisions, allGpus, engine);
  }

  /** The same request for another method. */
  public PlanRequest by(Method other) {
    return new PlanRequest(model, shape, machine, job, other, precisions, allGpus, engine);
  }

  /** The same request for another job. */
  public PlanRequest doing(Job other) {
    return new PlanRequest(model, shape, machine, other, method, precisions, allGpus, engine);
  }

  /** The same request for another program. */
  public PlanRequest with(EngineTraits other) {
    return new PlanRequest(model, shape, machine, job, method, precisions, allGpus, other);
  }

  /** The same request in one arithmetic alone. */
  PlanRequest in(Precision only) {
    return new PlanRequest(model, shape, machine, job, method, List.of(only), allGpus, engine);
  }

  /** The same request with layouts that use all cards alone. */
  public PlanRequest onAllGpus() {
    return new PlanRequest(model, shape, machine, job, method, precisions, true, engine);
  }
}
