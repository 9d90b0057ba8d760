package dev.duoka.formats.modelconfig;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.modelconfig.MoeConfig.Scoring;
import dev.duoka.formats.modelconfig.MoeConfig.Selection;
import org.jspecify.annotations.Nullable;

/** Reads the mixture of experts from a {@code config.json}. */
final class MoeReader {
  private MoeReader() {}

  /** The mixture, or null where the model has no experts. */
  static @Nullable MoeConfig read(
      JsonFields fields, Architecture architecture, ConfigDefaults absent) {
    int routed =
        fields.isPresent("n_routed_experts")
            ? fields.integer("n_routed_experts", 0)
            : absent.routedExperts();
    if (architecture.hasLlamaLayers() || routed == 0) {
      return null;
    }
    Selection selection = selection(fields, architecture);
    boolean grouped = selection != Selection.GREEDY;
    return new MoeConfig(
        routed,
        fields.integer("num_experts_per_tok", absent.expertsPerToken()),
        sharedExperts(fields, absent),
        fields.integer("moe_intermediate_size", absent.expertIntermediateSize()),
        fields.integer("first_k_dense_replace", absent.firstDenseLayers()),
        fields.integer("moe_layer_freq", 1),
        scoring(fields, architecture),
        selection,
        grouped ? groups(fields, "n_group", absent.groups()) : 1,
        grouped ? groups(fields, "topk_group", absent.topkGroups()) : 1,
        fields.flag("norm_topk_prob", absent.normalizeTopk()),
        // DeepSeek-MoE's own code has no such factor.
        architecture == Architecture.DEEPSEEK_MOE
            ? 1
            : fields.number("routed_scaling_factor", absent.scalingFactor()),
        fields.number("aux_loss_alpha", 0.001),
        fields.flag("seq_aux", true));
  }

  private static int sharedExperts(JsonFields fields, ConfigDefaults absent) {
    return fields.isPresent("n_shared_experts")
        ? fields.integer("n_shared_experts", 0)
        : absent.sharedExperts();
  }

  /** A group count of null means no limit, which is one group. */
  private static int groups(JsonFields fields, String key, int absent) {
    return fields.isPresent(key) ? fields.integer(key, 1) : absent;
  }

  private static Scoring scoring(JsonFields fields, Architecture architecture) {
    Scoring own = architecture == Architecture.DEEPSEEK_V3 ? Scoring.SIGMOID : Scoring.SOFTMAX;
    String expected = own == Scoring.SIGMOID ? "sigmoid" : "softmax";
    String name = fields.text("scoring_func").orElse(expected);
    if (!name.equals(expected)) {
      throw unsupported(fields, architecture, "scoring_func", name, expected);
    }
    return own;
  }

  private static Selection selection(JsonFields fields, Architecture architecture) {
    return switch (architecture) {
      case LLAMA, QWEN2, QWEN3, DEEPSEEK_MOE -> Selection.GREEDY;
      case DEEPSEEK_V2 -> {
        String name = fields.text("topk_method").orElse("greedy");
        yield switch (name) {
          // DeepSeek's published default has the slip of the pen.
          case "greedy", "gready" -> Selection.GREEDY;
          case "group_limited_greedy" -> Selection.GROUP_LIMITED;
          default ->
              throw unsupported(
                  fields, architecture, "topk_method", name, "greedy or group_limited_greedy");
        };
      }
      case DEEPSEEK_V3 -> {
        String name = fields.text("topk_method").orElse("noaux_tc");
        if (!name.equals("noaux_tc")) {
          throw unsupported(fields, architecture, "topk_method", name, "noaux_tc");
        }
        yield Selection.BIAS_CORRECTED;
      }
    };
  }

  private static DuokaException unsupported(
      JsonFields fields, Architecture architecture, String key, String name, String supported) {
    return fields.error(
        key + " '" + name + "' is not supported for model_type " + architecture.modelType(),
        "Supported is " + supported + ".");
  }
}
