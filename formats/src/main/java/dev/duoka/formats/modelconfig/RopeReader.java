package dev.duoka.formats.modelconfig;

import dev.duoka.formats.json.JsonFields;
import java.util.Optional;

/** Reads the position embedding from a {@code config.json}, written in the old or the new way. */
final class RopeReader {
  private static final double DEFAULT_THETA = 10000;

  private RopeReader() {}

  static RopeConfig read(JsonFields fields, Architecture architecture, int maxPositions) {
    // As in transformers 5, the old key wins where both are there.
    Optional<JsonFields> parameters =
        fields.object("rope_scaling").or(() -> fields.object("rope_parameters"));
    double topTheta = fields.number("rope_theta", DEFAULT_THETA);
    double theta = parameters.map(p -> p.number("rope_theta", topTheta)).orElse(topTheta);
    RopeScaling scaling =
        parameters.map(p -> scaling(p, maxPositions)).orElseGet(RopeScaling.None::new);
    double rotated = fields.number("partial_rotary_factor", 1);
    if (rotated != 1) {
      throw fields.error(
          "partial_rotary_factor " + rotated + " is not supported", "Supported is 1.0.");
    }
    return new RopeConfig(theta, scaling, interleaved(fields, architecture));
  }

  /** Transformers' {@code modeling_deepseek_v2.py} rotates pairs of neighbours without a choice. */
  private static boolean interleaved(JsonFields fields, Architecture architecture) {
    return switch (architecture) {
      case LLAMA, QWEN2, QWEN3, DEEPSEEK_MOE -> false;
      case DEEPSEEK_V2 -> true;
      case DEEPSEEK_V3 -> fields.flag("rope_interleave", true);
    };
  }

  private static RopeScaling scaling(JsonFields parameters, int maxPositions) {
    String type = parameters.text("rope_type").or(() -> parameters.text("type")).orElse("default");
    return switch (type) {
      case "default" -> new RopeScaling.None();
      case "linear" -> new RopeScaling.Linear(parameters.number("factor"));
      case "yarn" -> yarn(parameters, maxPositions);
      case "llama3" ->
          new RopeScaling.Llama3(
              parameters.number("factor"),
              parameters.number("low_freq_factor"),
              parameters.number("high_freq_factor"),
              parameters.integer("original_max_position_embeddings", maxPositions));
      default ->
          throw parameters.error(
              "rope scaling type '" + type + "' is not supported",
              "Supported are default, linear, yarn and llama3.");
    };
  }

  /** Defaults of transformers' {@code _compute_yarn_parameters} and of DeepSeek's own code. */
  private static RopeScaling yarn(JsonFields parameters, int maxPositions) {
    if (!parameters.flag("truncate", true)) {
      throw parameters.error("yarn with truncate false is not supported", "Supported is true.");
    }
    RopeScaling.Yarn yarn =
        new RopeScaling.Yarn(
            parameters.number("factor"),
            parameters.integer("original_max_position_embeddings", maxPositions),
            parameters.number("beta_fast", 32),
            parameters.number("beta_slow", 1),
            parameters.number("mscale", 1),
            parameters.number("mscale_all_dim", 0));
    double given = parameters.number("attention_factor", yarn.rotationScale());
    if (Math.abs(given - yarn.rotationScale()) > 1e-6) {
      throw parameters.error(
          "yarn's attention_factor is " + given + " where its mscales give " + yarn.rotationScale(),
          "Leave attention_factor out and set mscale and mscale_all_dim.");
    }
    return yarn;
  }
}
