package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import java.util.Map;
import java.util.Optional;

/**
 * Says before a run's first step how long its steps take: a planner's, or by a short probe. It is
 * asked when the step is known to fit, and nothing of the run is allocated yet.
 */
@FunctionalInterface
public interface StepForecast {
  /** Says nothing. */
  StepForecast NONE = _ -> new Answer(Optional.empty(), "nobody was asked to predict it", Map.of());

  /**
   * What is asked.
   *
   * @param placement of this process's ranks
   * @param processes how many the run has
   * @param memory bytes by owner of the rank that needs most
   */
  record Question(
      RunConfig config,
      ModelConfig model,
      DevicePlacement placement,
      int processes,
      Map<String, Long> memory) {}

  /**
   * What is said.
   *
   * @param step how long it takes; empty where it is not known
   * @param why it is not known; empty where it is
   * @param beside bytes that the driver will count on a card beside the tensors of its ranks, by
   *     what they are for
   */
  record Answer(Optional<PredictedStep> step, String why, Map<String, Long> beside) {}

  /** The answer. Blocks as long as a probe takes. */
  Answer of(Question question);
}
