package dev.duoka.formats.modelconfig;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a {@code config.json} that transformers loads, 4 and 5 alike: the position embedding is
 * written in the old way, which both read, as do DeepSeek's own code and inference servers.
 */
public final class ModelConfigWriter {
  private ModelConfigWriter() {}

  /** Writes into a model's folder, or to the given file, crash-safe. */
  public static void write(ModelConfig config, Path folderOrFile) {
    Path file = ModelConfigReader.file(folderOrFile);
    try {
      CrashSafeFiles.write(file, Json.pretty(json(config)).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write " + file + ": " + e,
          "Check that the folder exists, is writable and has space left.",
          e);
    }
  }

  /** The config as {@code config.json} holds it. */
  public static ObjectNode json(ModelConfig config) {
    ObjectNode root = Json.object();
    root.putArray("architectures").add(config.architecture().className());
    root.put("model_type", config.architecture().modelType());
    root.put("vocab_size", config.vocabSize());
    root.put("hidden_size", config.hiddenSize());
    root.put("intermediate_size", config.intermediateSize());
    root.put("num_hidden_layers", config.layers());
    root.put("max_position_embeddings", config.maxPositions());
    root.put("hidden_act", "silu");
    root.put("rms_norm_eps", config.rmsNormEps());
    root.put("initializer_range", config.initializerRange());
    root.put("tie_word_embeddings", config.tieEmbeddings());
    if (config.architecture() == Architecture.QWEN2) {
      root.put("use_sliding_window", false); // its biases are part of the type
    } else {
      root.put("attention_bias", false);
    }
    putTokenId(root, "bos_token_id", config.bosTokenId());
    putTokenId(root, "eos_token_id", config.eosTokenId());
    putAttention(root, config.attention());
    putRope(root, config);
    MoeConfig moe = config.moe();
    if (moe != null) {
      putMoe(root, moe);
    } else if (!config.architecture().hasLlamaLayers()) {
      root.putNull("n_routed_experts");
    }
    if (config.architecture() == Architecture.DEEPSEEK_V3) {
      root.put("num_nextn_predict_layers", config.mtpModules());
    }
    return root;
  }

  private static void putTokenId(ObjectNode root, String key, int id) {
    if (id < 0) {
      root.putNull(key);
    } else {
      root.put(key, id);
    }
  }

  private static void putAttention(ObjectNode root, AttentionConfig attention) {
    root.put("num_attention_heads", attention.heads());
    switch (attention) {
      case AttentionConfig.GroupedQuery(_, int kvHeads, int headDim, _, _) -> {
        root.put("num_key_value_heads", kvHeads);
        root.put("head_dim", headDim);
      }
      case AttentionConfig.MultiHeadLatent latent -> {
        root.put("num_key_value_heads", latent.heads());
        if (latent.compressesQueries()) {
          root.put("q_lora_rank", latent.qLoraRank());
        } else {
          root.putNull("q_lora_rank");
        }
        root.put("kv_lora_rank", latent.kvLoraRank());
        root.put("qk_nope_head_dim", latent.qkNopeHeadDim());
        root.put("qk_rope_head_dim", latent.qkRopeHeadDim());
        root.put("v_head_dim", latent.vHeadDim());
      }
    }
  }

  private static void putRope(ObjectNode root, ModelConfig config) {
    RopeConfig rope = config.rope();
    root.put("rope_theta", rope.theta());
    if (config.architecture() == Architecture.DEEPSEEK_V3) {
      root.put("rope_interleave", rope.interleaved());
    }
    switch (rope.scaling()) {
      case RopeScaling.None() -> root.putNull("rope_scaling");
      case RopeScaling.Linear(double factor) -> putScaling(root, "linear").put("factor", factor);
      case RopeScaling.Llama3 llama3 ->
          putScaling(root, "llama3")
              .put("factor", llama3.factor())
              .put("low_freq_factor", llama3.lowFrequencyFactor())
              .put("high_freq_factor", llama3.highFrequencyFactor())
              .put("original_max_position_embeddings", llama3.originalMaxPositions());
      case RopeScaling.Yarn yarn ->
          putScaling(root, "yarn")
              .put("factor", yarn.factor())
              .put("original_max_position_embeddings", yarn.originalMaxPositions())
              .put("beta_fast", yarn.betaFast())
              .put("beta_slow", yarn.betaSlow())
              .put("mscale", yarn.mscale())
              .put("mscale_all_dim", yarn.mscaleAllDim());
    }
  }

  /** Transformers reads {@code rope_type}, DeepSeek's own code {@code type}. */
  private static ObjectNode putScaling(ObjectNode root, String type) {
    return root.putObject("rope_scaling").put("type", type).put("rope_type", type);
  }

  private static void putMoe(ObjectNode root, MoeConfig moe) {
    root.put("n_routed_experts", moe.routedExperts());
    root.put("num_experts_per_tok", moe.expertsPerToken());
    if (moe.sharedExperts() == 0) {
      root.putNull("n_shared_experts");
    } else {
      root.put("n_shared_experts", moe.sharedExperts());
    }
    root.put("moe_intermediate_size", moe.expertIntermediateSize());
    root.put("first_k_dense_replace", moe.firstDenseLayers());
    root.put("moe_layer_freq", moe.layerFrequency());
    root.put("scoring_func", moe.scoring().name().toLowerCase(Locale.ROOT));
    root.put(
        "topk_method",
        switch (moe.selection()) {
          case GREEDY -> "greedy";
          case GROUP_LIMITED -> "group_limited_greedy";
          case BIAS_CORRECTED -> "noaux_tc";
        });
    root.put("n_group", moe.groups());
    root.put("topk_group", moe.topkGroups());
    root.put("norm_topk_prob", moe.normalizeTopk());
    root.put("routed_scaling_factor", moe.scalingFactor());
    root.put("aux_loss_alpha", moe.auxLossAlpha());
    root.put("seq_aux", moe.sequenceAuxLoss());
  }
}
