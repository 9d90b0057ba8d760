package dev.duoka.formats.modelconfig;

/**
 * The mixture of experts that replaces the MLP of most layers (arXiv 2401.06066).
 *
 * @param routedExperts experts among which tokens are routed
 * @param expertsPerToken routed experts that each token visits
 * @param sharedExperts experts that every token visits, stored as one MLP; 0 for none
 * @param expertIntermediateSize the SwiGLU width of one expert
 * @param firstDenseLayers layers at the start that keep a dense MLP
 * @param layerFrequency every how many layers one is a mixture; 1 for all after the dense ones
 * @param scoring how router logits become scores
 * @param selection how experts are chosen by their scores
 * @param groups groups of consecutive experts that limit the choice; 1 for no limit
 * @param topkGroups groups from which a token's experts may come
 * @param normalizeTopk whether the chosen scores are divided by their sum
 * @param scalingFactor what the weights of routed experts are multiplied by
 * @param auxLossAlpha the weight of the balance loss; 0 for none
 * @param sequenceAuxLoss whether the balance loss is taken per sequence instead of per batch
 */
public record MoeConfig(
    int routedExperts,
    int expertsPerToken,
    int sharedExperts,
    int expertIntermediateSize,
    int firstDenseLayers,
    int layerFrequency,
    Scoring scoring,
    Selection selection,
    int groups,
    int topkGroups,
    boolean normalizeTopk,
    double scalingFactor,
    double auxLossAlpha,
    boolean sequenceAuxLoss) {

  /** How router logits become scores, {@code scoring_func}. */
  public enum Scoring {
    SOFTMAX,
    SIGMOID
  }

  /** How experts are chosen by their scores, {@code topk_method}. */
  public enum Selection {
    /** The highest scores. */
    GREEDY,
    /** The highest scores within the groups whose best score is highest (V2). */
    GROUP_LIMITED,
    /**
     * The highest scores plus bias within the groups whose two best add up highest (V3); the bias
     * is moved after each step against the load and does not enter the weights.
     */
    BIAS_CORRECTED
  }

  public MoeConfig {
    ConfigLimits.range("n_routed_experts", routedExperts, 1, ConfigLimits.MAX_EXPERTS);
    ConfigLimits.range("num_experts_per_tok", expertsPerToken, 1, routedExperts);
    ConfigLimits.range("n_shared_experts", sharedExperts, 0, ConfigLimits.MAX_LAYERS);
    ConfigLimits.range("moe_intermediate_size", expertIntermediateSize, 1, ConfigLimits.MAX_SIZE);
    ConfigLimits.range("first_k_dense_replace", firstDenseLayers, 0, ConfigLimits.MAX_LAYERS);
    ConfigLimits.range("moe_layer_freq", layerFrequency, 1, ConfigLimits.MAX_LAYERS);
    ConfigLimits.range("n_group", groups, 1, routedExperts);
    ConfigLimits.range("topk_group", topkGroups, 1, groups);
    ConfigLimits.positive("routed_scaling_factor", scalingFactor);
    ConfigLimits.notNegative("aux_loss_alpha", auxLossAlpha);
    ConfigLimits.that(
        routedExperts % groups == 0,
        "n_routed_experts " + routedExperts + " is no multiple of n_group " + groups,
        "Choose groups that divide the experts");
    int eligible =
        selection == Selection.GREEDY ? routedExperts : routedExperts / groups * topkGroups;
    ConfigLimits.that(
        expertsPerToken <= eligible,
        "num_experts_per_tok is "
            + expertsPerToken
            + " but topk_group "
            + topkGroups
            + " leaves only "
            + eligible
            + " experts",
        "Raise topk_group or lower num_experts_per_tok");
    ConfigLimits.that(
        selection != Selection.GREEDY || groups == 1,
        "greedy selection with n_group " + groups,
        "Set n_group and topk_group to 1");
    ConfigLimits.that(
        selection != Selection.BIAS_CORRECTED || routedExperts / groups >= 2,
        "n_group "
            + groups
            + " leaves one expert per group, and groups are ranked by their best two",
        "Lower n_group");
  }

  /** The SwiGLU width of all shared experts together. */
  public int sharedIntermediateSize() {
    return sharedExperts * expertIntermediateSize;
  }
}
