package dev.duoka.formats.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.Goldens;
import dev.duoka.formats.Mutator;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AdapterConfigFileTests {
  private static final String PLAIN =
      "\"peft_type\": \"LORA\", \"r\": 8, \"lora_alpha\": 16, \"target_modules\": [\"q_proj\"]";

  private static AdapterConfig read(String fields) {
    return file(fields).adapter();
  }

  private static AdapterConfigFile file(String fields) {
    return AdapterConfigFile.read(
        Json.parse(
            ("{" + fields + "}").getBytes(StandardCharsets.UTF_8), "test.json", ErrorCode.CONFIG),
        "test.json");
  }

  /** Without the flag PEFT trains a copy of the embedding, and the head stays the base's. */
  @Test
  void embeddingAndHeadOfATiedBaseAreTrainedAsOneOrNotAtAll() {
    Path folder = Path.of("adapter");
    AdapterConfigFile apart = file(PLAIN + ", \"modules_to_save\": [\"model.embed_tokens\"]");
    assertThat(apart.beside(false, folder)).isEqualTo(apart.adapter());
    assertThatThrownBy(() -> apart.beside(true, folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("model.embed_tokens whole without ensure_weight_tying");
    AdapterConfigFile asOne =
        file(PLAIN + ", \"modules_to_save\": [\"lm_head\"], \"ensure_weight_tying\": true");
    assertThat(asOne.beside(true, folder)).isEqualTo(asOne.adapter());
    assertThat(AdapterConfigFile.read(asOne.json(), "again")).isEqualTo(asOne);
    assertThat(apart.json().has("ensure_weight_tying")).isFalse();
    AdapterConfigFile norms = file(PLAIN + ", \"modules_to_save\": [\"model.norm\"]");
    assertThat(norms.beside(true, folder)).isEqualTo(norms.adapter());
  }

  @Test
  void readsWhatPeftWrites() {
    AdapterConfigFile file = AdapterConfigFile.read(Goldens.folder("v3-rslora"));
    assertThat(file.base()).contains("../../golden/v3");
    assertThat(file.baseFolder(Goldens.folder("v3-rslora")))
        .isEqualTo(Goldens.folder("v3-rslora").resolve("../../golden/v3"));
    AdapterConfig adapter = file.adapter();
    assertThat(adapter.rootScaled()).isTrue();
    assertThat(adapter.magnitudes()).isFalse();
    assertThat(adapter.adapts("model.layers.1.self_attn.q_a_proj")).isTrue();
    assertThat(adapter.adapts("model.layers.1.mlp.shared_experts.down_proj")).isFalse();
    assertThat(adapter.adaptsExperts("model.layers.1.mlp.experts.gate_up_proj")).isTrue();
    assertThat(adapter.rankOf("model.layers.1.mlp.experts.gate_up_proj")).isEqualTo(16);
    assertThat(adapter.scaleOf("model.layers.1.mlp.experts.gate_up_proj"))
        .isCloseTo(4, within(1e-12)); // 16 / √16
    assertThat(adapter.rankOf("model.layers.1.mlp.experts.down_proj")).isEqualTo(8);
    assertThat(AdapterConfigFile.read(Goldens.folder("llama-gqa-dora")).adapter().magnitudes())
        .isTrue();
  }

  @Test
  void patternsAreReadAsPeftReadsThem() {
    AdapterConfig list =
        read(
            PLAIN
                + ", \"exclude_modules\": [\"layers.1.self_attn.q_proj\"],"
                + " \"layers_to_transform\": [0, 1], \"modules_to_save\": [\"lm_head\"],"
                + " \"rank_pattern\": {\"layers.0.self_attn.q_proj\": 4, \"q_proj\": 2},"
                + " \"alpha_pattern\": {\".*0.*q_proj\": 1}");
    assertThat(list.adapts("model.layers.0.self_attn.q_proj")).isTrue();
    assertThat(list.adapts("model.layers.0.self_attn.big_q_proj")).isFalse();
    assertThat(list.adapts("model.layers.1.self_attn.q_proj")).as("excluded").isFalse();
    assertThat(list.adapts("model.layers.2.self_attn.q_proj")).as("other layer").isFalse();
    assertThat(list.rankOf("model.layers.0.self_attn.q_proj")).isEqualTo(4);
    assertThat(list.rankOf("model.layers.3.self_attn.q_proj")).isEqualTo(2);
    assertThat(list.scaleOf("model.layers.0.self_attn.q_proj")).isEqualTo(0.25);
    assertThat(list.scaleOf("model.layers.3.self_attn.q_proj")).isEqualTo(8);
    assertThat(list.isSaved("lm_head")).isTrue();
    assertThat(list.isSaved("model.embed_tokens")).isFalse();

    AdapterConfig whole =
        read("\"r\": 2, \"lora_alpha\": 2, \"target_modules\": \".*\\\\.[01]\\\\..*[qk]_proj\"");
    assertThat(whole.adapts("model.layers.1.self_attn.k_proj")).isTrue();
    assertThat(whole.adapts("model.layers.2.self_attn.k_proj")).isFalse();
    assertThat(whole.adapts("model.layers.1.self_attn.k_proj.x")).isFalse();
    assertThat(read("\"r\": 2, \"lora_alpha\": 2, \"target_modules\": \"all-linear\"").modules())
        .isEqualTo(new NamePatterns.AllLinear());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"peft_type\": \"ADALORA\", \"r\": 8, \"lora_alpha\": 16 | peft_type is 'ADALORA'",
        "\"bias\": \"all\" | bias is 'all'",
        "\"task_type\": \"SEQ_CLS\" | task_type is 'SEQ_CLS'",
        "\"lora_bias\": true | it has lora_bias",
        "\"fan_in_fan_out\": true | it has fan_in_fan_out",
        "\"trainable_token_indices\": [1] | it has trainable_token_indices",
        "\"layer_replication\": [[0, 1]] | it has layer_replication",
        "\"use_qalora\": true | it has use_qalora",
        "\"a_field_of_tomorrow\": 3 | it has a_field_of_tomorrow",
        "\"init_lora_weights\": \"pissa\" | init_lora_weights",
        "\"lora_dropout\": 1.0 | a dropout of 1.0",
        "\"rank_pattern\": {\"q_proj\": 0} | a rank of 0 for 'q_proj' in rank_pattern: ranks are",
        "\"rank_pattern\": {\"q_proj\": 65537} | a rank of 65537",
        "\"peft_type\": \"LORA\", \"r\": -2, \"lora_alpha\": 16 | a rank (r) of -2",
        "\"exclude_modules\": \"(\" | no regular expression",
      })
  void refusesByName(String field, String problem) {
    String fields = field.contains("peft_type") ? field : PLAIN + ", " + field;
    assertThatThrownBy(() -> read(fields))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("test.json")
        .hasMessageContaining(problem);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"use_dora\": true | false",
        "\"rank_pattern\": {\".*gate_up_proj\": 4} | false",
        "\"rank_pattern\": {\"layers.3.*gate_up_proj\": 4} | true",
        "\"alpha_pattern\": {\".*\\\\d.q_proj\": 4} | true",
        "\"exclude_modules\": \".*q_proj\" | true",
        "\"layers_to_transform\": 2 | true",
      })
  void saysWhetherLayersMayDiffer(String field, boolean differ) {
    assertThat(read(PLAIN + ", " + field).mayTellLayersApart()).isEqualTo(differ);
  }

  @Test
  void writtenIsReadAlike() {
    for (String golden : new String[] {"v3-rslora", "llama-gqa-dora", "v2-lite-lora"}) {
      AdapterConfigFile file = AdapterConfigFile.read(Goldens.folder(golden));
      assertThat(AdapterConfigFile.read(file.json(), "copy")).isEqualTo(file);
    }
  }

  @Test
  void everyDamagedFileIsReadOrRefusedPlainly() throws IOException {
    byte[] original =
        Files.readAllBytes(Goldens.folder("v3-rslora").resolve(AdapterConfigFile.FILE_NAME));
    long seed = 2026;
    int rounds = 2000;
    Mutator mutator = new Mutator(new Random(seed));
    int read = 0;
    for (int round = 0; round < rounds; round++) {
      byte[] mutant = mutator.mutate(original);
      try {
        AdapterConfigFile file =
            AdapterConfigFile.read(Json.parse(mutant, "mutant", ErrorCode.CONFIG), "mutant");
        assertThat(AdapterConfigFile.read(file.json(), "copy"))
            .as("seed %d, round %d", seed, round)
            .isEqualTo(file);
        read++;
      } catch (DuokaException e) {
        assertThat(e).hasMessageContaining("mutant");
      }
    }
    assertThat(read).isBetween(1, rounds - 1);
  }
}
