package dev.duoka.model.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.weight.Weight;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.ObjectNode;

class AdapterSummaryTests {
  private static final int LAYERS = 12;

  /** As PEFT's file says it. */
  private static AdapterConfig adapter(String fields) {
    String text = "{\"r\": 2, \"lora_alpha\": 4, " + fields.replace('\'', '"') + "}";
    return AdapterConfigFile.read(
            Json.parse(text.getBytes(StandardCharsets.UTF_8), "test.json", ErrorCode.CONFIG),
            "test.json")
        .adapter();
  }

  private static List<Weight> weights(String preset, AdapterConfig adapter) {
    ObjectNode json = (ObjectNode) Presets.json(preset).deepCopy();
    json.put("num_hidden_layers", LAYERS);
    ModelConfig config = ModelConfigReader.read(json, preset).with(adapter);
    return ModelFactory.declared(config, 0).weights();
  }

  private static List<String> lines(String preset, String fields) {
    return AdapterSummary.lines(weights(preset, adapter(fields)));
  }

  /** Without the numbers of weights, which another test holds to the model's. */
  private static String first(String preset, String fields) {
    return lines(preset, fields).getFirst().replaceFirst(", [0-9,]+ weights", "");
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "'target_modules': ['q_proj', 'v_proj']"
            + " | adapter on q_proj, v_proj in all 12 layers (rank 2, scale 2.0): 24 modules",
        "'target_modules': ['q_proj', 'v_proj'], 'layers_to_transform': [0, 1, 2, 3]"
            + " | adapter on q_proj, v_proj in layers 0-3 of 12 (rank 2, scale 2.0): 8 modules",
        "'target_modules': ['o_proj'], 'layers_to_transform': [0, 2, 4]"
            + " | adapter on o_proj in layers 0, 2, 4 of 12 (rank 2, scale 2.0): 3 modules",
        "'target_modules': ['o_proj'], 'layers_to_transform': [11, 0, 5, 6, 7, 9]"
            + " | adapter on o_proj in layers 0, 5-7, 9, 11 of 12 (rank 2, scale 2.0): 6 modules",
        "'target_modules': '.*layers.10?.mlp.down_proj', 'use_dora': true"
            + " | adapter on down_proj in layers 1, 10 of 12 (rank 2, scale 2.0, magnitudes): 2"
            + " modules",
        "'target_modules': ['layers.3.mlp.up_proj']"
            + " | adapter on up_proj in layer 3 of 12 (rank 2, scale 2.0): 1 module",
      })
  void layersAreToldExactly(String fields, String line) {
    assertThat(first("tiny-llama", fields)).isEqualTo(line);
  }

  @Test
  void eachRankHasALineOfItsOwn() {
    List<String> lines =
        lines(
            "tiny-llama",
            "'target_modules': ['q_proj', 'o_proj'], 'rank_pattern':"
                + " {'layers.[0-3].self_attn.o_proj': 4, 'layers.7.self_attn.q_proj': 8}");
    assertThat(lines.stream().filter(it -> it.startsWith("adapter on ")).map(it -> cut(it)))
        .containsExactlyInAnyOrder(
            "adapter on q_proj in layers 0-6, 8-11 of 12 (rank 2, scale 2.0): 11 modules",
            "adapter on o_proj in layers 4-11 of 12 (rank 2, scale 2.0): 8 modules",
            "adapter on o_proj in layers 0-3 of 12 (rank 4, scale 1.0): 4 modules",
            "adapter on q_proj in layer 7 of 12 (rank 8, scale 0.5): 1 module");
  }

  private static String cut(String line) {
    return line.replaceFirst(", [0-9,]+ weights", "");
  }

  @Test
  void expertsAreCountedByTheirStacks() {
    List<String> lines =
        lines(
            "tiny-v3",
            "'target_modules': ['mlp.down_proj', 'shared_experts.down_proj'], 'target_parameters':"
                + " ['experts.down_proj']");
    assertThat(lines.stream().filter(it -> it.startsWith("adapter on ")).map(it -> cut(it)))
        .as("three modules end in down_proj, and are told apart")
        .containsExactlyInAnyOrder(
            "adapter on mlp.down_proj in layer 0 of 12 (rank 2, scale 2.0): 1 module",
            "adapter on mlp.shared_experts.down_proj in layers 1-11 of 12 (rank 2, scale 2.0): 11"
                + " modules",
            "adapter on mlp.experts.down_proj in layers 1-11 of 12 (rank 2, scale 2.0): 11 stacks"
                + " of 8 experts; its products are computed expert by expert, at once with a"
                + " multiple of 8");
  }

  @Test
  void whatIsInOneModuleIsToldAlike() {
    assertThat(first("tiny-v3", "'target_parameters': ['gate_up_proj', 'experts.down_proj']"))
        .startsWith("adapter on mlp.experts.gate_up_proj, mlp.experts.down_proj in layers 1-11 of");
    assertThat(first("tiny-v3", "'target_parameters': ['gate_up_proj']"))
        .as("alone it needs no more than its last word")
        .startsWith("adapter on gate_up_proj in layers 1-11 of");
    assertThat(first("tiny-v3", "'target_modules': ['0.self_attn.o_proj', '0.mlp.down_proj']"))
        .as("another module's place is not told with it")
        .startsWith("adapter on o_proj, mlp.down_proj in layer 0 of");
  }

  @Test
  void whatIsTrainedWholeIsOneLine() {
    String fields =
        "'target_modules': ['q_proj'], 'modules_to_save': ['input_layernorm',"
            + " 'post_attention_layernorm', 'layers.2.mlp', 'lm_head']";
    assertThat(lines("tiny-llama", fields).stream().filter(it -> it.startsWith("trained whole")))
        .map(line -> line.replaceFirst(": [0-9,]+ weights$", ""))
        .containsExactly(
            "trained whole: input_layernorm, post_attention_layernorm in all 12 layers; gate_proj,"
                + " up_proj, down_proj in layer 2 of 12; lm_head");
  }

  /** Each trained weight is in exactly one of the lines. */
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      delimiter = '|',
      value = {
        "tiny-llama | 'target_modules': 'all-linear', 'use_dora': true, 'rank_pattern': {'q_proj':"
            + " 5}",
        "tiny-v3 | 'target_modules': ['o_proj'], 'target_parameters': ['gate_up_proj'],"
            + " 'modules_to_save': ['embed_tokens', 'kv_a_layernorm']",
      })
  void theLinesTogetherHaveAllTrainedWeights(String preset, String fields) {
    List<String> lines = lines(preset, fields);
    long told =
        lines.stream()
            .filter(it -> it.startsWith("adapter on ") || it.startsWith("trained whole"))
            .mapToLong(AdapterSummaryTests::weightsOf)
            .sum();
    long trained =
        weights(preset, adapter(fields)).stream()
            .filter(it -> it.spec().trainable())
            .mapToLong(it -> it.spec().elements())
            .sum();
    assertThat(told).isEqualTo(trained).isPositive();
    assertThat(lines.getLast()).startsWith(String.format("trained are %,d of ", trained));
  }

  private static long weightsOf(String line) {
    String before = line.substring(0, line.indexOf(" weights"));
    return Long.parseLong(before.substring(before.lastIndexOf(' ') + 1).replace(",", ""));
  }

  @Test
  void whatIsKeptInFourBitsIsSaidLast() {
    AdapterConfig adapter = adapter("'target_modules': 'all-linear'").on(BaseForm.NF4);
    assertThat(AdapterSummary.lines(weights("tiny-llama", adapter)).getLast())
        .startsWith("kept in 4 bits are ")
        .endsWith("all else in 16 or more");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"0 | 0", "0 1 | 0-1", "0 2 4 | 0, 2, 4", "3 4 5 9 11 12 | 3-5, 9, 11-12"})
  void rangesLeaveNothingOut(String numbers, String text) {
    Collection<Integer> all = Arrays.stream(numbers.split(" ")).map(Integer::valueOf).toList();
    assertThat(ModuleGroups.ranges(new TreeSet<>(all))).isEqualTo(text);
  }
}
