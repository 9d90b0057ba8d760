package dev.duoka.formats.modelconfig;

import dev.duoka.formats.json.JsonFields;

/** Reads the attention's sizes from a {@code config.json}. */
final class AttentionReader {
  private AttentionReader() {}

  static AttentionConfig read(JsonFields fields, Architecture architecture, ConfigDefaults absent) {
    int heads = fields.integer("num_attention_heads", absent.heads());
    return switch (architecture) {
      case LLAMA, QWEN2, QWEN3, DEEPSEEK_MOE -> groupedQuery(fields, architecture, absent, heads);
      case DEEPSEEK_V2, DEEPSEEK_V3 -> latent(fields, heads);
    };
  }

  private static AttentionConfig groupedQuery(
      JsonFields fields, Architecture architecture, ConfigDefaults absent, int heads) {
    int hiddenSize = fields.integer("hidden_size", absent.hiddenSize());
    ConfigLimits.range("num_attention_heads", heads, 1, ConfigLimits.MAX_HEADS);
    int kvHeads = fields.integer("num_key_value_heads", heads);
    // DeepSeek's own code for model type deepseek knows no head_dim.
    boolean given = architecture.hasLlamaLayers() && fields.node("head_dim").isPresent();
    ConfigLimits.that(
        given || hiddenSize % heads == 0,
        "hidden_size " + hiddenSize + " is no multiple of num_attention_heads " + heads,
        "Choose heads that divide the hidden size");
    int headDim = given ? fields.integer("head_dim") : hiddenSize / heads;
    return new AttentionConfig.GroupedQuery(
        heads,
        kvHeads,
        headDim,
        architecture == Architecture.QWEN2,
        architecture == Architecture.QWEN3);
  }

  private static AttentionConfig latent(JsonFields fields, int heads) {
    int kvHeads = fields.integer("num_key_value_heads", heads);
    ConfigLimits.that(
        kvHeads == heads,
        "num_key_value_heads " + kvHeads + " differs from num_attention_heads " + heads,
        "Latent attention has as many of both: change num_attention_heads and num_key_value_heads"
            + " together");
    // Here null has a meaning of its own: queries are not compressed.
    int qLoraRank = fields.isPresent("q_lora_rank") ? fields.integer("q_lora_rank", 0) : 1536;
    return new AttentionConfig.MultiHeadLatent(
        heads,
        qLoraRank,
        fields.integer("kv_lora_rank", 512),
        fields.integer("qk_nope_head_dim", 128),
        fields.integer("qk_rope_head_dim", 64),
        fields.integer("v_head_dim", 128));
  }
}
