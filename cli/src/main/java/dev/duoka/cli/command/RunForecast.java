package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.layout.Layout;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.measure.step.StepProbe;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.memory.BookedMemory;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.CardMemory;
import dev.duoka.train.run.StepForecast;
import java.io.PrintWriter;
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
    Map<String, Long> beside =
        BookedMemory.besideTensors(question.memory(), CardMemory.segments(question.model()));
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
    Layout layout = config.layout();
    return new LayoutForecast(
            question.model(),
            layout,
            new Job(
                config.data().sequenceLength(),
                config.training().tokensPerStep(),
                Job.DEFAULT_IMBALANCE,
                config.parallel().dispatcher()),
            err)
        .step(layout);
  }
}
