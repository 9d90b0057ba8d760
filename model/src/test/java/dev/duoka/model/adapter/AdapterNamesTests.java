package dev.duoka.model.adapter;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.model.ModelFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

class AdapterNamesTests {
  /** As PEFT's file says it. */
  private static AdapterConfig adapter(String fields) {
    String text = "{\"r\": 2, \"lora_alpha\": 4, " + fields.replace('\'', '"') + "}";
    return AdapterConfigFile.read(
            Json.parse(text.getBytes(StandardCharsets.UTF_8), "test.json", ErrorCode.CONFIG),
            "test.json")
        .adapter();
  }

  private static void check(String preset, String fields) {
    check(Presets.named(preset), fields);
  }

  private static void check(ModelConfig model, String fields) {
    AdapterNames.requireFitting(
        ModelFactory.declared(model, 0).weights(), adapter(fields), AdapterNames::inRunFile);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "tiny-llama | 'target_modules': 'all-linear'",
        "tiny-llama | 'target_modules': ['self_attn.q_proj', 'layers.1.mlp.down_proj']",
        "tiny-llama | 'target_modules': '.*[qk]_proj', 'exclude_modules':"
            + " ['layers.0.self_attn.k_proj']",
        "tiny-llama | 'target_modules': ['q_proj'], 'modules_to_save': ['lm_head', 'embed_tokens',"
            + " 'mlp']",
        "tiny-llama | 'target_modules': '.*q_proj'",
        "tiny-v3 | 'target_modules': ['shared_experts.down_proj', 'down_proj']",
        "tiny-v3 | 'target_modules': ['mlp.gate']", // refused where adapters are declared
        "tiny-llama | 'target_modules': ['embed_tokens']", // likewise
        "tiny-llama | 'target_modules': ['q_proj', 'k_proj'], 'exclude_modules': ['k_proj']",
        "tiny-llama | 'target_modules': ['q_proj'], 'exclude_modules': ['q_proj'],"
            + " 'modules_to_save': ['lm_head']",
        "tiny-llama | 'target_modules': ['lm_head'], 'exclude_modules': ['q_proj']",
        "tiny-v3 | 'target_modules': ['o_proj'], 'target_parameters': ['down_proj',"
            + " 'experts.gate_up_proj']",
        "tiny-v3 | 'target_parameters': ['down_proj'], 'rank_pattern': {'.*down_proj': 4}",
      })
  void whatFitsIsTaken(String preset, String fields) {
    check(preset, fields);
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "tiny-llama | 'target_modules': ['q_prj'] | 'q_prj' of adapter.modules fits no linear layer"
            + " in the model. Did you mean 'q_proj'?",
        "tiny-llama | 'target_modules': 'q_proj' | 'q_proj' of adapter.modules_matching fits no"
            + " linear layer in the model. The expression has to match a whole name, such as"
            + " model.layers.0.self_attn.q_proj. '.*q_proj' would.",
        "tiny-llama | 'target_modules': '.*q_prj' | model.layers.0.self_attn.q_proj. Did you mean"
            + " 'q_proj'?",
        "tiny-llama | 'target_modules': ['q_proj', 'k_proj'], 'exclude_modules':"
            + " ['self_attn.k_proj', 'q_proj'] | adapter.exclude (self_attn.k_proj, q_proj) leaves"
            + " out all that adapter.modules means, so that nothing is trained. Name less there:"
            + " q_proj, k_proj are left out.",
        "tiny-llama | 'target_modules': 'all-linear', 'exclude_modules': '.*_proj' |"
            + " adapter.exclude (the expression .*_proj) leaves out all that adapter.modules means",
        "tiny-llama | 'target_modules': [] | adapter.modules, adapter.experts and"
            + " adapter.train_whole are empty, so that nothing is trained",
        "tiny-llama | 'target_modules': ['q_proj', 'v_prj'] | 'v_prj' of adapter.modules fits no"
            + " linear layer in the model. Did you mean 'v_proj'?",
        "tiny-llama | 'target_modules': ['q_proj', 'layers.9.self_attn.v_proj'] | fits no linear"
            + " layer",
        "tiny-llama | 'target_modules': ['q_proj'], 'exclude_modules': ['k_porj'] | 'k_porj' of"
            + " adapter.exclude",
        "tiny-llama | 'target_modules': ['q_proj'], 'modules_to_save': ['lm_haed'] | 'lm_haed' of"
            + " adapter.train_whole fits no module that can be trained whole in the model. Did you"
            + " mean 'lm_head'?",
        "tiny-llama | 'target_modules': ['q_proj'], 'target_parameters': ['down_proj'] |"
            + " 'down_proj' of adapter.experts fits no stacked experts in the model. It has none:"
            + " remove the name.",
        "tiny-v3 | 'target_modules': ['o_proj'], 'modules_to_save': ['mlp.experts'] | 'mlp.experts'"
            + " of adapter.train_whole names stacked experts, which are not trained whole. Give"
            + " them adapters by adapter.experts: gate_up_proj, down_proj.",
        "tiny-v3 | 'target_modules': ['experts.down_proj'] | 'experts.down_proj' of adapter.modules"
            + " names stacked experts, not linear layers. Give them adapters by adapter.experts:"
            + " gate_up_proj, down_proj.",
        "tiny-v3 | 'target_modules': ['experts.1.down_proj'] | names stacked experts",
        "tiny-v3 | 'target_modules': ['o_proj'], 'exclude_modules': ['gate_up_proj'] |"
            + " 'gate_up_proj' of adapter.exclude names stacked experts, not linear layers. They"
            + " have adapters only where adapter.experts names them.",
        "tiny-v3 | 'target_parameters': ['o_proj'] | 'o_proj' of adapter.experts names linear"
            + " layers, not stacked experts. Name it in adapter.modules. Stacked experts are"
            + " gate_up_proj and down_proj.",
        "tiny-v3 | 'target_modules': 'q_proj.', 'target_parameters': ['down_proj'] |"
            + " adapter.modules_matching fits no",
        "tiny-v3 | 'target_modules': ['o_proj'], 'rank_pattern': {'qproj': 4} | 'qproj' of"
            + " adapter.rank_pattern",
        "tiny-v3 | 'target_modules': ['o_proj'], 'alpha_pattern': {'qproj': 4} | 'qproj' of"
            + " adapter.alpha_pattern",
      })
  void whatFitsNothingIsRefused(String preset, String fields, String problem) {
    assertThatThrownBy(() -> check(preset, fields))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void anExpressionOfAlternativesIsPutInBrackets() {
    assertThatThrownBy(() -> check("tiny-llama", "'target_modules': 'q_proj|o_proj'"))
        .hasMessageContaining("'.*(q_proj|o_proj)' would.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'target_modules': ['o_proj'], 'exclude_modules': ['zzzzzzz']",
        "'target_modules': ['o_proj'], 'rank_pattern': {'zzzzzzz': 4}",
        "'target_modules': ['zzzzzzz']",
      })
  void onlyNamesThatAreTakenAreOffered(String fields) {
    assertThatThrownBy(() -> check("tiny-llama", fields))
        .hasMessageContaining("Valid names: q_proj, k_proj")
        .hasMessageContaining("lm_head")
        .hasMessageNotContaining("embed_tokens");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "'target_modules': ['lm_head'] | 'lm_head' of adapter.modules is the embedding in this"
            + " model, which has one weight for both. It takes no adapter: train it whole, by"
            + " embed_tokens in adapter.train_whole",
        "'target_modules': ['o_proj'], 'exclude_modules': ['lm_head'] | remove the name",
        "'target_modules': ['o_proj'], 'modules_to_save': ['lm_head'] | 'lm_head' of"
            + " adapter.train_whole is the embedding in this model, which has one weight for both."
            + " Name embed_tokens instead",
      })
  void theHeadOfATiedModelIsItsEmbedding(String fields, String problem) {
    ObjectNode json = (ObjectNode) Presets.json("tiny-llama").deepCopy();
    json.put("tie_word_embeddings", true);
    ModelConfig tied = ModelConfigReader.read(json, "tied");
    assertThatThrownBy(() -> check(tied, fields)).hasMessageContaining(problem);
    check(tied, "'target_modules': ['o_proj'], 'modules_to_save': ['embed_tokens']");
  }
}
