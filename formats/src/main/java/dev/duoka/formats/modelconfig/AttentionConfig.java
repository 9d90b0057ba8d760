package dev.duoka.formats.modelconfig;

/** The sizes of an attention layer. */
public sealed interface AttentionConfig {
  /** Query heads. */
  int heads();

  /**
   * Grouped-query attention (arXiv 2305.13245): each key-value head serves {@code heads / kvHeads}
   * query heads; plain multi-head attention has as many of both.
   *
   * @param heads query heads
   * @param kvHeads key-value heads, a divisor of {@code heads}
   * @param headDim elements of one head's query, key and value; even, because RoPE rotates pairs
   * @param bias whether a vector is added to queries, keys and values, as in Qwen2
   * @param headNorms whether each head's query and key are normalised, as in Qwen3
   */
  record GroupedQuery(int heads, int kvHeads, int headDim, boolean bias, boolean headNorms)
      implements AttentionConfig {
    public GroupedQuery {
      ConfigLimits.range("num_attention_heads", heads, 1, ConfigLimits.MAX_HEADS);
      ConfigLimits.range("num_key_value_heads", kvHeads, 1, heads);
      ConfigLimits.range("head_dim", headDim, 2, ConfigLimits.MAX_HEADS);
      ConfigLimits.that(
          heads % kvHeads == 0,
          "num_attention_heads " + heads + " is no multiple of num_key_value_heads " + kvHeads,
          "Choose key-value heads that divide the heads");
      ConfigLimits.that(
          headDim % 2 == 0, "head_dim " + headDim + " is odd", "RoPE needs an even one");
    }

    /** Llama's: neither biases nor norms. */
    public GroupedQuery(int heads, int kvHeads, int headDim) {
      this(heads, kvHeads, headDim, false, false);
    }
  }

  /**
   * Multi-head latent attention (arXiv 2405.04434, section 2.1): keys and values are expanded from
   * one compressed vector per token, and a separate part of query and key carries the position.
   *
   * @param heads query heads, as many as key and value heads
   * @param qLoraRank elements of the compressed query; 0 where queries are not compressed
   * @param kvLoraRank elements of the compressed key-value vector
   * @param qkNopeHeadDim elements of a head's query and key without position
   * @param qkRopeHeadDim elements of a head's query and of the shared key that RoPE rotates; even
   * @param vHeadDim elements of a head's value
   */
  record MultiHeadLatent(
      int heads, int qLoraRank, int kvLoraRank, int qkNopeHeadDim, int qkRopeHeadDim, int vHeadDim)
      implements AttentionConfig {
    public MultiHeadLatent {
      ConfigLimits.range("num_attention_heads", heads, 1, ConfigLimits.MAX_HEADS);
      ConfigLimits.range("q_lora_rank", qLoraRank, 0, ConfigLimits.MAX_SIZE);
      ConfigLimits.range("kv_lora_rank", kvLoraRank, 1, ConfigLimits.MAX_SIZE);
      ConfigLimits.range("qk_nope_head_dim", qkNopeHeadDim, 1, ConfigLimits.MAX_HEADS);
      ConfigLimits.range("qk_rope_head_dim", qkRopeHeadDim, 2, ConfigLimits.MAX_HEADS);
      ConfigLimits.range("v_head_dim", vHeadDim, 1, ConfigLimits.MAX_HEADS);
      ConfigLimits.that(
          qkRopeHeadDim % 2 == 0,
          "qk_rope_head_dim " + qkRopeHeadDim + " is odd",
          "RoPE needs an even one");
    }

    /** Elements of a head's whole query or key: the part without position and the rotated one. */
    public int qkHeadDim() {
      return qkNopeHeadDim + qkRopeHeadDim;
    }

    /** Whether queries are compressed too. */
    public boolean compressesQueries() {
      return qLoraRank > 0;
    }
  }
}
