package dev.duoka.cli.command;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Recompute;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.topology.Topology;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.machine.TopologyMachines;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.planner.time.StepTime;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;

/** What the planner says of layouts on this machine's GPUs. */
final class LayoutForecast {
  private final Planner planner = new Planner(Catalogue.builtIn());
  private final PlanRequest request;

  /**
   * Looks at this machine, whose profile counts where {@code calibrate} made one, otherwise the
   * catalogue's rates.
   *
   * @param like whose precision, states and method are planned
   * @param err where a profile is named that is of other cards
   * @throws dev.duoka.base.DuokaException when a card is in no catalogue
   */
  LayoutForecast(ModelConfig model, Layout like, Job job, PrintWriter err) {
    this(model, like, job, here(err));
  }

  private static Machine here(PrintWriter err) {
    Topology here = LiveProbe.topology();
    return PlannedMachine.withOwnProfile(
        TopologyMachines.of(here, Optional.empty(), Catalogue.builtIn()), here, err);
  }

  /**
   * Looks at another machine.
   *
   * @param like whose precision, states and method are planned
   */
  LayoutForecast(ModelConfig model, Layout like, Job job, Machine machine) {
    this.request =
        new PlanRequest(
            "the run's model",
            ModelShape.of(model),
            machine,
            job,
            like.method(),
            List.of(like.precision()),
            List.of(like.states()),
            false,
            EngineTraits.DUOKA);
  }

  /** The time of a step of a layout. */
  PredictedStep step(Layout layout) {
    return step(layout, request.job().dispatcher());
  }

  /** The time of a step of a layout, where tokens get to experts in this way. */
  PredictedStep step(Layout layout, Dispatcher dispatcher) {
    PlanRequest asked = request.of(request.job().with(dispatcher));
    Machine machine = asked.machine();
    StepTime time = planner.time(asked, layout);
    Layout once = layout.with(Recompute.NONE, layout.precision());
    // The catalogue's rates are no floor: a cool card is faster than what was published of its
    // kind.
    return new PredictedStep(
        time.total(),
        time.low(),
        time.high(),
        time.priced() ? planner.time(asked, once).computing() : Double.NaN,
        time.byName(),
        time.exposed(),
        machine
            .profile()
            .filter(_ -> time.priced())
            .map(profile -> "the planner for " + profile.title())
            .orElse("the planner for " + machine.name()));
  }

  /** The best layouts of all GPUs that the engine runs, the fastest first. */
  List<Layout> best() {
    return planner.plan(request.onAllGpus()).plans().stream()
        .filter(Plan::runnable)
        .map(Plan::layout)
        .toList();
  }
}
