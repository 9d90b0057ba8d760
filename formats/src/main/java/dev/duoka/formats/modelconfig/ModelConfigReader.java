package dev.duoka.formats.modelconfig;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * Reads Hugging Face's {@code config.json}, with the defaults of its model type for absent keys.
 *
 * <p>Both ways to write the position embedding are read: {@code rope_theta} and {@code
 * rope_scaling} (transformers 4, DeepSeek's own files) and {@code rope_parameters} (transformers
 * 5). Keys that no layer depends on are ignored; a key that asks for something not built here is
 * refused.
 */
public final class ModelConfigReader {
  /** The file's name in a model's folder. */
  public static final String FILE_NAME = "config.json";

  private ModelConfigReader() {}

  /** Reads a {@code config.json}, or the one of a model's folder. */
  public static ModelConfig read(Path folderOrFile) {
    Path file = file(folderOrFile);
    return read(Json.parse(file, ErrorCode.CONFIG), file.toString());
  }

  /**
   * Reads a config that is parsed already.
   *
   * @param source what error messages call it
   */
  public static ModelConfig read(JsonNode root, String source) {
    JsonFields fields = JsonFields.of(root, source, ErrorCode.CONFIG);
    Architecture architecture = architecture(fields);
    refuseUnsupported(fields);
    ConfigDefaults absent = ConfigDefaults.of(architecture);
    int vocabSize = fields.integer("vocab_size", absent.vocabSize());
    int maxPositions = fields.integer("max_position_embeddings", absent.maxPositions());
    try {
      return new ModelConfig(
          architecture,
          vocabSize,
          fields.integer("hidden_size", absent.hiddenSize()),
          fields.integer("num_hidden_layers", absent.layers()),
          maxPositions,
          fields.number("rms_norm_eps", 1e-6),
          fields.number("initializer_range", 0.02),
          fields.flag("tie_word_embeddings", false),
          AttentionReader.read(fields, architecture, absent),
          RopeReader.read(fields, architecture, maxPositions),
          fields.integer("intermediate_size", absent.intermediateSize()),
          MoeReader.read(fields, architecture, absent),
          mtpModules(fields, absent),
          tokenId(fields, "bos_token_id", absent.bosTokenId(), vocabSize),
          tokenId(fields, "eos_token_id", absent.eosTokenId(), vocabSize));
    } catch (InvalidModelConfigException e) {
      throw fields.error(e.fault(), e.remedy());
    }
  }

  static Path file(Path folderOrFile) {
    return Files.isDirectory(folderOrFile) ? folderOrFile.resolve(FILE_NAME) : folderOrFile;
  }

  private static Architecture architecture(JsonFields fields) {
    String supported =
        "Supported model types are " + String.join(", ", Architecture.modelTypes()) + ".";
    String modelType =
        fields
            .text("model_type")
            .orElseThrow(() -> fields.error("it has no 'model_type'", supported));
    return Architecture.ofModelType(modelType)
        .orElseThrow(
            () ->
                fields.error(
                    "model_type '" + modelType + "' is not supported",
                    supported
                        + " By its fields the nearest is "
                        + nearest(fields.object("text_config").orElse(fields)).modelType()
                        + ", whose layers may still differ."));
  }

  /** Which supported family shares most with a config: latent attention, experts, neither. */
  private static Architecture nearest(JsonFields fields) {
    boolean experts =
        Stream.of("n_routed_experts", "num_experts", "num_local_experts")
            .anyMatch(fields::isPresent);
    if (fields.isPresent("kv_lora_rank")) {
      boolean sigmoid =
          fields.text("scoring_func").orElse("").equals("sigmoid") || fields.isPresent("n_group");
      return sigmoid ? Architecture.DEEPSEEK_V3 : Architecture.DEEPSEEK_V2;
    }
    return experts ? Architecture.DEEPSEEK_MOE : Architecture.LLAMA;
  }

  private static void refuseUnsupported(JsonFields fields) {
    String activation = fields.text("hidden_act").orElse("silu");
    if (!activation.equals("silu") && !activation.equals("swish")) {
      throw fields.error(
          "hidden_act '" + activation + "' is not supported", "Supported is silu (SwiGLU).");
    }
    for (String bias : List.of("attention_bias", "mlp_bias")) {
      if (fields.flag(bias, false)) {
        throw fields.error(
            bias + " true is not supported", "Supported are layers without biases, false.");
      }
    }
    if (fields.flag("use_sliding_window", false)) {
      throw fields.error(
          "use_sliding_window true is not supported",
          "Supported is attention to all tokens before, false, as Qwen2.5 and Qwen3 have it.");
    }
    double dropout = fields.number("attention_dropout", 0);
    if (dropout != 0) {
      throw fields.error(
          "attention_dropout " + dropout + " is not supported",
          "Set it to 0.0; DeepSeek's models are trained without dropout.");
    }
  }

  /** Transformers 5 calls the key num_mtp_layers within, and writes the old name. */
  private static int mtpModules(JsonFields fields, ConfigDefaults absent) {
    int modules = fields.integer("num_mtp_layers", absent.mtpModules());
    return fields.integer("num_nextn_predict_layers", modules);
  }

  /** One id, the first of a list, or -1 for none; a default outside the vocabulary is none too. */
  private static int tokenId(JsonFields fields, String key, int absent, int vocabSize) {
    if (!fields.isPresent(key)) {
      return absent < vocabSize ? absent : -1;
    }
    JsonNode value = fields.node(key).orElse(null);
    if (value == null) {
      return -1;
    }
    if (value.isArray() && !value.isEmpty() && value.get(0).canConvertToInt()) {
      return value.get(0).intValue();
    }
    return fields.integer(key);
  }
}
