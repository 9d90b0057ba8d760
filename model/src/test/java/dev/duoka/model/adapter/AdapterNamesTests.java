package dev.duoka.model.adapter;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.model.ModelFactory;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    AdapterNames.requireFitting(
        ModelFactory.declared(Presets.named(preset), 0).weights(),
        adapter(fields),
        AdapterNames::inRunFile);
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
            + " of adapter.train_whole fits no module that can be trained whole",
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
}
