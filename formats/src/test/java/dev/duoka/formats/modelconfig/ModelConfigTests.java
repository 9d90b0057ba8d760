package dev.duoka.formats.modelconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class ModelConfigTests {
  @Test
  void knowsWhichLayersHaveExperts() {
    ModelConfig v3 = Presets.named("deepseek-v3");
    assertThat(v3.isMoeLayer(2)).isFalse();
    assertThat(v3.isMoeLayer(3)).isTrue();
    assertThat(v3.isMoeLayer(61)).as("the MTP module").isTrue();
    assertThatThrownBy(() -> v3.isMoeLayer(62)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(Presets.named("deepseek-llm-7b").isMoeLayer(29)).isFalse();
  }

  @Test
  void scalesAsYarnDoes() {
    // Formula 22 of the paper with the factor 40: 0.1 ln 40 + 1.
    double whole = 0.1 * Math.log(40) + 1;
    RopeScaling.Yarn plain = new RopeScaling.Yarn(40, 4096, 32, 1, 1, 0);
    assertThat(plain.rotationScale()).isEqualTo(whole, within(1e-12));
    assertThat(plain.softmaxScale()).isEqualTo(1);
    RopeScaling.Yarn v3 = new RopeScaling.Yarn(40, 4096, 32, 1, 1, 1);
    assertThat(v3.rotationScale()).isEqualTo(1);
    assertThat(v3.softmaxScale()).isEqualTo(whole * whole, within(1e-12));
  }

  @Test
  void refusesImpossibleShapes() {
    assertRefused(
        () -> new AttentionConfig.GroupedQuery(6, 4, 8),
        "6 is no multiple of num_key_value_heads 4");
    assertRefused(() -> new AttentionConfig.GroupedQuery(4, 2, 7), "head_dim 7 is odd");
    assertRefused(() -> new AttentionConfig.GroupedQuery(4, 0, 8), "num_key_value_heads is 0");
    assertRefused(
        () -> new AttentionConfig.MultiHeadLatent(4, 0, 16, 8, 5, 8), "qk_rope_head_dim 5 is odd");
    assertRefused(() -> new RopeConfig(0, new RopeScaling.None(), false), "rope_theta is 0.0");
    assertRefused(() -> new RopeScaling.Linear(0.5), "factor is 0.5");
    assertRefused(() -> new RopeScaling.Linear(Double.NaN), "factor is NaN");
    assertRefused(
        () -> new RopeScaling.Yarn(4, 32, 1, 32, 1, 1), "beta_fast 1.0 is below beta_slow 32.0");
  }

  @Test
  void refusesAnAttentionThatItsFamilyHasNot() {
    ModelConfig llama = Presets.named("tiny-llama");
    AttentionConfig.GroupedQuery heads = (AttentionConfig.GroupedQuery) llama.attention();
    AttentionConfig qwen2 =
        new AttentionConfig.GroupedQuery(
            heads.heads(), heads.kvHeads(), heads.headDim(), true, false);
    assertRefused(
        () ->
            new ModelConfig(
                llama.architecture(),
                llama.vocabSize(),
                llama.hiddenSize(),
                llama.layers(),
                llama.maxPositions(),
                llama.rmsNormEps(),
                llama.initializerRange(),
                llama.tieEmbeddings(),
                qwen2,
                llama.rope(),
                llama.intermediateSize(),
                null,
                0,
                llama.bosTokenId(),
                llama.eosTokenId()),
        "model_type llama with biases and without norms inside the attention. qwen2 has biases");
  }

  @Test
  void refusesImpossibleRouting() {
    assertRefused(() -> v3Routing(8, 9, 2, 1), "num_experts_per_tok is 9");
    assertRefused(() -> v3Routing(8, 2, 3, 1), "n_routed_experts 8 is no multiple of n_group 3");
    assertRefused(() -> v3Routing(8, 2, 2, 3), "topk_group is 3");
    assertRefused(() -> v3Routing(8, 3, 4, 1), "topk_group 1 leaves only 2 experts");
    assertRefused(() -> v3Routing(8, 2, 8, 4), "n_group 8 leaves one expert per group");
  }

  private static MoeConfig v3Routing(int experts, int perToken, int groups, int topkGroups) {
    return new MoeConfig(
        experts,
        perToken,
        1,
        64,
        1,
        1,
        MoeConfig.Scoring.SIGMOID,
        MoeConfig.Selection.BIAS_CORRECTED,
        groups,
        topkGroups,
        true,
        2.5,
        0,
        true);
  }

  private static void assertRefused(ThrowingCallable making, String problem) {
    assertThatThrownBy(making)
        .isInstanceOf(DuokaException.class)
        .hasMessageStartingWith("model config: ")
        .hasMessageContaining(problem);
  }
}
