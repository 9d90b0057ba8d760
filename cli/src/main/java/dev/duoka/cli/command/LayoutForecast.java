package dev.duoka.cli.command;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
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

/** What the planner says of one layout's step on this machine's GPUs. */
final class LayoutForecast {
  private LayoutForecast() {}

  /**
   * The time of a step, by this machine's profile where {@code calibrate} made one, otherwise by
   * the catalogue's rates.
   *
   * @param err where a profile is named that is of other cards
   * @throws dev.duoka.base.DuokaException when a card is in no catalogue
   */
  static PredictedStep of(ModelConfig model, Layout layout, Job job, PrintWriter err) {
    PlanRequest request = request(model, layout, job, err);
    Machine machine = request.machine();
    Planner planner = new Planner(Catalogue.builtIn());
    StepTime time = planner.time(request, layout);
    Layout once = layout.with(Recompute.NONE, layout.precision());
    // The catalogue's rates are no floor: a cool card is faster than what was published of its
    // kind.
    return new PredictedStep(
        time.total(),
        time.low(),
        time.high(),
        machine.profile().isPresent() ? planner.time(request, once).computing() : Double.NaN,
        time.byName(),
        time.exposed(),
        machine
            .profile()
            .map(profile -> "the planner for " + profile.title())
            .orElse("the planner for " + machine.name()));
  }

  /**
   * The best layouts of all of this machine's GPUs that the engine runs, the fastest first.
   *
   * @param like whose precision, states and method they have
   * @throws dev.duoka.base.DuokaException when a card is in no catalogue
   */
  static List<Layout> best(ModelConfig model, Layout like, Job job, PrintWriter err) {
    PlanRequest request = request(model, like, job, err).by(like.method()).onAllGpus();
    return new Planner(Catalogue.builtIn())
        .plan(request).plans().stream().filter(Plan::runnable).map(Plan::layout).toList();
  }

  private static PlanRequest request(ModelConfig model, Layout like, Job job, PrintWriter err) {
    Catalogue catalogue = Catalogue.builtIn();
    Topology here = LiveProbe.topology();
    Machine machine =
        PlannedMachine.withOwnProfile(
            TopologyMachines.of(here, Optional.empty(), catalogue), here, err);
    return new PlanRequest(
        "the run's model",
        ModelShape.of(model),
        machine,
        job,
        Method.FULL,
        List.of(like.precision()),
        List.of(like.states()),
        false,
        EngineTraits.DUOKA);
  }
}
