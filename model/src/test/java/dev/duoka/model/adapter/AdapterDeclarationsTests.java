package dev.duoka.model.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ObjectNode;

class AdapterDeclarationsTests {
  private static AdapterConfig adapter(
      NamePatterns modules, List<String> parameters, List<String> saved) {
    return new AdapterConfig(
        4,
        8,
        0,
        false,
        false,
        modules,
        NamePatterns.NONE,
        parameters,
        List.of(),
        Map.of(),
        Map.of(),
        saved,
        BaseForm.DENSE);
  }

  private static NamePatterns ends(String... names) {
    return new NamePatterns.Ends(List.of(names));
  }

  private static List<String> trained(String preset, AdapterConfig adapter) {
    return ModelFactory.declared(Presets.named(preset).with(adapter), 0).weights().stream()
        .filter(weight -> weight.spec().trainable())
        .map(weight -> weight.spec().name())
        .toList();
  }

  @Test
  void somePartsOfAJointWeight() {
    AdapterConfig adapter =
        adapter(ends("layers.1.self_attn.v_proj", "q_proj"), List.of(), List.of());
    assertThat(trained("tiny-llama", adapter))
        .contains(
            "model.layers.0.self_attn.qkv_proj.lora_A", "model.layers.0.self_attn.q_proj.lora_B")
        .doesNotContain("model.layers.0.self_attn.v_proj.lora_B")
        .contains("model.layers.1.self_attn.v_proj.lora_B");
  }

  @Test
  void allLinearLayersAreNeitherRoutersNorRoutedExpertsNorTheHead() {
    List<String> names =
        trained("tiny-v3", adapter(new NamePatterns.AllLinear(), List.of(), List.of()));
    assertThat(names)
        .anyMatch(name -> name.contains("shared_experts"))
        .anyMatch(name -> name.contains("kv_a_proj_with_mqa"))
        .allMatch(name -> name.contains(".lora_"))
        .noneMatch(name -> name.contains(".gate.") || name.contains("mlp.experts"))
        .noneMatch(name -> name.contains("lm_head") || name.contains("embed"));
  }

  @Test
  void headAndEmbeddingAreTrainedWholeWhereWanted() {
    assertThat(
            trained(
                "tiny-llama",
                adapter(ends("o_proj"), List.of(), List.of("lm_head", "embed_tokens"))))
        .contains("lm_head.weight", "model.embed_tokens.weight")
        .doesNotContain("model.norm.weight");
  }

  @Test
  void theHeadHasAnAdapterWhereItIsNamed() {
    assertThat(trained("tiny-llama", adapter(ends("lm_head", "o_proj"), List.of(), List.of())))
        .contains("lm_head.lora_A", "lm_head.lora_B", "model.layers.1.self_attn.o_proj.lora_B");
    assertThat(trained("tiny-v3", adapter(ends("lm_head"), List.of(), List.of())))
        .containsExactlyInAnyOrder("lm_head.lora_A", "lm_head.lora_B");
    ObjectNode tied = (ObjectNode) Presets.json("tiny-llama").deepCopy();
    tied.put("tie_word_embeddings", true);
    ModelConfig config = ModelConfigReader.read(tied, "tied");
    assertThatThrownBy(
            () ->
                ModelFactory.declared(
                    config.with(adapter(ends("lm_head", "o_proj"), List.of(), List.of())), 0))
        .hasMessageContaining("beside lm_head (in this model the embedding");
    ModelFactory.declared(
        config.with(adapter(new NamePatterns.AllLinear(), List.of(), List.of())), 0);
  }

  @Test
  void saysWhatCannotBe() {
    refused("tiny-llama", adapter(ends("embed_tokens"), List.of(), List.of()), "embed_tokens");
    refused("tiny-v3", adapter(ends("mlp.gate"), List.of(), List.of()), "mlp.gate");
    refused(
        "tiny-llama",
        adapter(ends("q_prjo"), List.of(), List.of()),
        "'q_prjo' of modules (PEFT's target_modules) fits no linear layer in the model. Did you"
            + " mean 'q_proj'?");
    refused(
        "tiny-llama", adapter(ends("o_proj"), List.of(), List.of("k_proj")), "only some are to be");
  }

  private static void refused(String preset, AdapterConfig adapter, String problem) {
    assertThatThrownBy(() -> trained(preset, adapter))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void theFrozenBaseHasNoGradients() {
    ModelConfig config =
        Presets.named("tiny-v3").with(adapter(ends("o_proj"), List.of("down_proj"), List.of()));
    try (LanguageModel model =
        ModelFactory.create(
            config, new ModelFactory.Allocation(Dtype.BFLOAT16, Device.META, true, 64, 0))) {
      long trained = 0;
      for (Bucket bucket : model.parameters().buckets()) {
        assertThat(bucket.hasGradients()).isEqualTo(bucket.key().trainable());
        trained += bucket.key().trainable() ? bucket.length() : 0;
      }
      assertThat(trained).isPositive().isLessThan(model.parameters().elements() / 8);
      assertThat(model.trainedWeights()).allMatch(Weight::isAdapter);
    }
  }

  @Test
  void aFreshAdapterChangesNothing() {
    ModelConfig config =
        Presets.named("tiny-llama").with(adapter(ends("o_proj"), List.of(), List.of()));
    try (LanguageModel model =
            ModelFactory.create(
                config, new ModelFactory.Allocation(Dtype.FLOAT32, Device.CPU, false, 64, 0));
        Scope _ = Scope.open()) {
      WeightInitializer.initialize(model, 3);
      Weight weight =
          model.baseWeights().stream()
              .filter(it -> it.adaptedBy() != null)
              .findFirst()
              .orElseThrow();
      assertThat(HostCopy.doubles(MergedWeight.of(weight)))
          .isEqualTo(HostCopy.doubles(weight.parameter().value()));
      double[] down =
          HostCopy.doubles(
              model.parameters().parameter("model.layers.0.self_attn.o_proj.lora_A").value());
      double bound = 1 / Math.sqrt(weight.spec().shape().getLast());
      assertThat(Arrays.stream(down).max().orElseThrow()).isBetween(0.9 * bound, bound);
      assertThat(Arrays.stream(down).min().orElseThrow()).isBetween(-bound, -0.9 * bound);
    }
  }
}
