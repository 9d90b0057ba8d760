package dev.duoka.engine.function;

/**
 * How a router scores experts and picks some.
 *
 * @param experts how many there are
 * @param expertsPerToken how many each token gets
 * @param scoring how logits become scores
 * @param groups experts are in this many equal groups; 1 for no groups
 * @param topkGroups a token's experts come from this many groups
 * @param groupScore what ranks a group
 * @param normalize whether the chosen scores are divided by their sum
 * @param scalingFactor multiplies the weights at the end
 */
public record RouterRule(
    int experts,
    int expertsPerToken,
    Scoring scoring,
    int groups,
    int topkGroups,
    GroupScore groupScore,
    boolean normalize,
    double scalingFactor) {
  /** How logits become scores. */
  public enum Scoring {
    /** Over all experts (DeepSeek-MoE and V2). */
    SOFTMAX,
    /** Of each expert by itself (V3). */
    SIGMOID
  }

  /** What ranks a group of experts. */
  public enum GroupScore {
    /** Its best score (V2, arXiv:2405.04434 §2.2.2). */
    MAXIMUM,
    /** The sum of its two best (V3). */
    SUM_OF_TOP_TWO
  }
}
