package dev.duoka.planner.report;

import dev.duoka.layout.Layout;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Writes a plan as a run file that {@code duoka train} takes. */
public final class PlannedRun {
  private static final long DEFAULT_STEPS = 100;

  private PlannedRun() {}

  /**
   * The text of the run file.
   *
   * @param folder the model's folder; empty where the request's model is a preset
   * @param sources the corpus
   * @param tokens the length of the run; a hundred steps where it is empty
   */
  public static String yaml(
      Plan plan,
      PlanRequest request,
      Optional<Path> folder,
      List<String> sources,
      OptionalLong tokens) {
    Layout layout = plan.layout();
    StringBuilder text = new StringBuilder();
    text.append(
        Numbers.format(
            """
            # %s on %s: %s
            # Predicted: %s tokens/s, %s a step, %.1f GiB on each GPU.
            model:
              %s: %s
            data:
              sources: [%s]
              sequence_length: %d
            training:
              tokens_per_step: %d
              micro_batch: %d
              %s
              precision: %s
              recompute: %s
            parallel:
              data: %d
              zero: %d
            device: cuda
            """,
            request.model().replaceAll("\\s", " "),
            request.machine().name(),
            layout,
            Numbers.whole(plan.tokensPerSecond()),
            Numbers.duration(plan.time().total()),
            plan.memory().total() / Numbers.GIB,
            folder.isPresent() ? "path" : "preset",
            quoted(folder.map(Path::toString).orElse(request.model())),
            String.join(", ", sources.stream().map(PlannedRun::quoted).toList()),
            request.job().sequenceLength(),
            request.job().tokensPerStep(),
            layout.microBatch(),
            tokens.isPresent() ? "tokens: " + tokens.getAsLong() : "steps: " + DEFAULT_STEPS,
            layout.precision(),
            layout.recompute(),
            layout.data(),
            layout.zero()));
    return text.toString();
  }

  private static String quoted(String value) {
    return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
