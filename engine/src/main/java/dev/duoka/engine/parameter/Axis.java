package dev.duoka.engine.parameter;

/**
 * What a dimension of a weight counts, in the words of DeepSeek's papers. Whoever lays a model out
 * over several devices decides by it which dimension may be cut.
 */
public enum Axis {
  /** Tokens of the vocabulary. */
  VOCABULARY,
  /** Query heads, each as wide as the section's unit. */
  HEADS,
  /** Heads of keys and values, where these are fewer than the query heads. */
  KEY_VALUE_HEADS,
  /** The width of a head, for what all heads share. */
  HEAD_WIDTH,
  /** The compressed vector of queries, or of keys and values with their rotated part. */
  LATENT,
  /** The width inside a feed-forward network. */
  FEED_FORWARD,
  /** Routed experts. */
  EXPERTS,
  /** The residual stream. */
  HIDDEN,
  /** The width between the two matrices of an adapter, which LoRA calls its rank. */
  LORA
}
