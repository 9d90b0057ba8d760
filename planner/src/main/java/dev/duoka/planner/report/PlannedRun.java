package dev.duoka.planner.report;

import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.formats.modelconfig.RopeScaling;
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
import tools.jackson.databind.node.ObjectNode;

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
            %s%sdata:
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
            positions(request),
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

  /**
   * What gives the model the positions that sequences longer than it is meant for need. Its
   * position embedding stays as it is: a scaling that does not say what it was stretched from reads
   * that from the number of positions, so it is written out.
   */
  private static String positions(PlanRequest request) {
    ModelConfig config = request.shape().config();
    int length = request.job().sequenceLength();
    if (length <= config.maxPositions()) {
      return "";
    }
    ObjectNode overrides = Json.object();
    overrides.put("max_position_embeddings", length);
    int stretchedFrom =
        switch (config.rope().scaling()) {
          case RopeScaling.None _, RopeScaling.Linear _ -> 0;
          case RopeScaling.Llama3 it -> it.originalMaxPositions();
          case RopeScaling.Yarn it -> it.originalMaxPositions();
        };
    if (stretchedFrom == config.maxPositions()) {
      ObjectNode whole = ModelConfigWriter.json(config);
      for (String key : List.of("rope_theta", "rope_scaling")) {
        overrides.set(key, whole.get(key));
      }
    }
    // JSON is YAML, too.
    return Numbers.format(
        "  # The model is meant for at most %d tokens.%n  overrides: %s%n",
        config.maxPositions(), overrides);
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
