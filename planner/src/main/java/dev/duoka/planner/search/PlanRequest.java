package dev.duoka.planner.search;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Method;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import java.util.Optional;

/**
 * What a plan is asked for.
 *
 * @param model the model's name in reports
 * @param shape its shape, with the adapter that methods of adapters train; the usual one where it
 *     has none
 * @param machine the cards
 * @param job what a step is to do
 * @param method which weights are trained
 * @param precisions the arithmetics to choose from; a later one only where nothing fits in those
 *     before
 * @param states the forms of states to choose from; a later one only where nothing fits in those
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
    List<StateForm> states,
    boolean allGpus,
    EngineTraits engine) {
  /**
   * The forms of states that are tried, the fullest first: in bf16 16, 12, 10, 8 and 6 bytes of a
   * weight. Moments in bf16 without master weights take as much as those in 8 bits with them, and
   * weights come before moments.
   */
  public static final List<StateForm> FORMS =
      List.of(
          StateForm.FULL,
          new StateForm(MomentForm.BF16, true, GradientForm.FP32),
          new StateForm(MomentForm.BITS8, true, GradientForm.FP32),
          new StateForm(MomentForm.BITS8, false, GradientForm.FP32),
          new StateForm(MomentForm.BITS8, false, GradientForm.BF16));

  public PlanRequest {
    precisions = List.copyOf(precisions);
    states = List.copyOf(states);
  }

  /** A request that takes fewer bits of states where nothing fits in fp32. */
  public PlanRequest(
      String model,
      ModelShape shape,
      Machine machine,
      Job job,
      Method method,
      List<Precision> precisions,
      boolean allGpus,
      EngineTraits engine) {
    this(model, shape, machine, job, method, precisions, FORMS, allGpus, engine);
  }

  /** The adapter that is trained; empty where all weights are. */
  public Optional<AdapterConfig> adapter() {
    return method.isAdapter()
        ? Optional.of(DryRunJob.adapter(shape.config(), method))
        : Optional.empty();
  }

  /** The same question of another step. */
  public PlanRequest of(Job other) {
    return new PlanRequest(
        model, shape, machine, other, method, precisions, states, allGpus, engine);
  }

  /** The same request for another machine. */
  public PlanRequest on(Machine other) {
    return new PlanRequest(model, shape, other, job, method, precisions, states, allGpus, engine);
  }

  /** The same request for another method. */
  public PlanRequest by(Method other) {
    return new PlanRequest(model, shape, machine, job, other, precisions, states, allGpus, engine);
  }

  /** The same request for another job. */
  public PlanRequest doing(Job other) {
    return new PlanRequest(
        model, shape, machine, other, method, precisions, states, allGpus, engine);
  }

  /** The same request with states in these forms alone. */
  public PlanRequest keeping(List<StateForm> forms) {
    return new PlanRequest(model, shape, machine, job, method, precisions, forms, allGpus, engine);
  }

  /** The same request in one arithmetic alone. */
  PlanRequest in(Precision only) {
    return new PlanRequest(
        model, shape, machine, job, method, List.of(only), states, allGpus, engine);
  }

  /** The same request with layouts that use all cards alone. */
  public PlanRequest onAllGpus() {
    return new PlanRequest(model, shape, machine, job, method, precisions, states, true, engine);
  }
}
