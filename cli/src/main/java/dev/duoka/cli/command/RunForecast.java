package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Recompute;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.topology.Topology;
import dev.duoka.measure.step.StepProbe;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.machine.TopologyMachines;
import dev.duoka.planner.memory.BookedMemory;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.planner.time.StepTime;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.run.StepForecast;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What is said of a run's speed: by the planner on GPUs, by a short probe on the CPU. */
final class RunForecast implements StepForecast {
  private final PrintWriter err;

  /**
   * A forecast.
   *
   * @param err where it says what it cannot use
   */
  RunForecast(PrintWriter err) {
    this.err = err;
  }

  @Override
  public Answer of(Question question) {
    if (!question.placement().isOnGpus()) {
      return new StepProbe().of(question);
    }
    Map<String, Long> beside = BookedMemory.besideTensors(question.memory());
    if (question.placement().sharesDevices()) {
      return new Answer(Optional.empty(), "ranks that share a card are not planned", beside);
    }
    if (question.processes() > 1 && question.config().parallel().ranks() > gpus()) {
      return new Answer(Optional.empty(), "several machines are not planned", beside);
    }
    try {
      return new Answer(Optional.of(planned(question)), "", beside);
    } catch (DuokaException e) { // a card that is in no catalogue, for one
      return new Answer(Optional.empty(), e.problem(), beside);
    }
  }

  private static int gpus() {
    return LiveProbe.topology().gpus().size();
  }

  private PredictedStep planned(Question question) {
    RunConfig config = question.config();
    Catalogue catalogue = Catalogue.builtIn();
    Topology here = LiveProbe.topology();
    Machine machine =
        PlannedMachine.withOwnProfile(
            TopologyMachines.of(here, Optional.empty(), catalogue), here, err);
    Layout layout = config.layout();
    PlanRequest request =
        new PlanRequest(
            "the run's model",
            ModelShape.of(question.model()),
            machine,
            new Job(
                config.data().sequenceLength(),
                config.training().tokensPerStep(),
                Job.DEFAULT_IMBALANCE),
            Method.FULL,
            List.of(layout.precision()),
            List.of(layout.states()),
            false,
            EngineTraits.DUOKA);
    Planner planner = new Planner(catalogue);
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
}
