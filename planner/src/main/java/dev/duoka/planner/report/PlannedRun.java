package dev.duoka.planner.report;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.StateForm;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
            %sdata:
              sources: [%s]
              sequence_length: %d
            training:
              tokens_per_step: %d
              micro_batch: %d
              %s
              precision: %s
              recompute: %s
            """,
            request.model().replaceAll("\\s", " "),
            request.machine().name(),
            layout,
            Numbers.whole(plan.tokensPerSecond()),
            Numbers.duration(plan.time().total()),
            plan.memory().total() / Numbers.GIB,
            folder.isPresent() ? "path" : "preset",
            quoted(folder.map(Path::toString).orElse(request.model())),
            request.adapter().map(AdapterFields::yaml).orElse(""),
            String.join(", ", sources.stream().map(PlannedRun::quoted).toList()),
            request.job().sequenceLength(),
            request.job().tokensPerStep(),
            layout.microBatch(),
            tokens.isPresent() ? "tokens: " + tokens.getAsLong() : "steps: " + DEFAULT_STEPS,
            layout.precision(),
            layout.recompute()));
    parallel(text, layout);
    memory(text, layout);
    return text.append("device: cuda\n").toString();
  }

  private static void parallel(StringBuilder text, Layout layout) {
    text.append("parallel:\n");
    field(text, "data", layout.data());
    Map<String, Integer> axes = new LinkedHashMap<>();
    axes.put("tensor", layout.tensor());
    axes.put("pipeline", layout.pipeline());
    axes.put("expert", layout.expert());
    axes.put("context", layout.context());
    axes.put("replicate", layout.replicate());
    axes.forEach(
        (name, ranks) -> {
          if (ranks > 1) {
            field(text, name, ranks);
          }
        });
    field(text, "zero", layout.zero());
    if (layout.blocksPerBucket() > 1) {
      field(text, "blocks_per_bucket", layout.blocksPerBucket());
    }
    if (layout.pipeline() > 1) {
      // The order that the plan's memory and time are of.
      field(text, "schedule", layout.order().kind());
      if (layout.order().stagesPerRank() > 1) {
        field(text, "stages_per_rank", layout.order().stagesPerRank());
      }
    }
  }

  /** What is not as it is without this section. */
  private static void memory(StringBuilder text, Layout layout) {
    StateForm form = layout.states();
    if (layout.offload() == Offload.NONE && form.equals(StateForm.FULL)) {
      return;
    }
    text.append("memory:\n");
    field(text, "offload", layout.offload());
    if (layout.offload() != Offload.NONE) {
      field(text, "offload_update", layout.offloadUpdate());
      field(text, "offload_fraction", layout.offloadFraction());
    }
    field(text, "moments", form.moments());
    field(text, "master_weights", form.masterWeights() || !layout.precision().hasMasterWeights());
    field(text, "gradients", form.gradients());
  }

  private static void field(StringBuilder text, String name, Object value) {
    text.append("  ").append(name).append(": ").append(value).append('\n');
  }

  private static String quoted(String value) {
    return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }
}
