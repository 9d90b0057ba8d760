package dev.duoka.formats.modelconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.Goldens;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

class ModelConfigReaderTests {
  static final List<String> GOLDENS = Goldens.NAMES;
  static final List<String> PRESETS = Presets.names();

  private static final String V2 = "{\"model_type\": \"deepseek_v2\", \"num_experts_per_tok\": 6";
  private static final String V3 = "{\"model_type\": \"deepseek_v3\"";

  @TempDir Path folder;

  @ParameterizedTest
  @FieldSource("GOLDENS")
  void whatIsWrittenReadsBackTheSame(String name) {
    ModelConfig config = ModelConfigReader.read(Goldens.folder(name));
    ModelConfigWriter.write(config, folder);
    assertThat(ModelConfigReader.read(folder)).isEqualTo(config);
  }

  @ParameterizedTest
  @FieldSource("PRESETS")
  void presetsReadBackTheSame(String name) {
    ModelConfig config = Presets.named(name);
    Path file = folder.resolve("other.json");
    ModelConfigWriter.write(config, file);
    assertThat(ModelConfigReader.read(file)).isEqualTo(config);
  }

  @Test
  void readsTheNewWayOfPositions() {
    ModelConfig config = ModelConfigReader.read(Goldens.folder("llama-mha-scaled"));
    assertThat(config.rope()).isEqualTo(new RopeConfig(100000, new RopeScaling.Linear(4), false));
    assertThat(ModelConfigReader.read(Goldens.folder("v3-yarn")).rope())
        .isEqualTo(new RopeConfig(10000, new RopeScaling.Yarn(40, 32, 32, 1, 1, 1), true));
  }

  @Test
  void readsTheGoldensOfV2() {
    ModelConfig group = ModelConfigReader.read(Goldens.folder("v2-group"));
    assertThat(group.attention())
        .isEqualTo(new AttentionConfig.MultiHeadLatent(4, 24, 16, 16, 8, 16));
    assertThat(group.rope().interleaved()).isTrue();
    MoeConfig moe = group.moe();
    assertThat(moe).isNotNull();
    assertThat(moe.selection()).isEqualTo(MoeConfig.Selection.GROUP_LIMITED);
    assertThat(moe.groups()).isEqualTo(4);
    assertThat(moe.topkGroups()).isEqualTo(2);
    assertThat(moe.scalingFactor()).isEqualTo(16);
    ModelConfig lite = ModelConfigReader.read(Goldens.folder("v2-lite"));
    assertThat(lite.attention())
        .isEqualTo(new AttentionConfig.MultiHeadLatent(4, 0, 16, 16, 8, 16));
  }

  @Test
  void absentKeysMeanWhatTheirModelTypeSays() {
    ModelConfig llama = read("{\"model_type\": \"llama\"}");
    assertThat(llama.attention()).isEqualTo(new AttentionConfig.GroupedQuery(32, 32, 128));
    assertThat(llama.rope()).isEqualTo(new RopeConfig(10000, new RopeScaling.None(), false));
    assertThat(llama.moe()).isNull();
    assertThat(llama.eosTokenId()).isEqualTo(2);
    ModelConfig v3 = read(V3 + "}");
    ModelConfig published = Presets.named("deepseek-v3");
    assertThat(v3.attention()).isEqualTo(published.attention());
    assertThat(v3.moe()).isEqualTo(published.moe());
    assertThat(v3.maxPositions()).isEqualTo(4096);
    assertThat(v3.mtpModules()).isEqualTo(1);
    ModelConfig v2 = read(V2 + "}");
    assertThat(v2.attention())
        .isEqualTo(new AttentionConfig.MultiHeadLatent(32, 1536, 512, 128, 64, 128));
    assertThat(v2.vocabSize()).isEqualTo(32000);
    assertThat(v2.mtpModules()).isZero();
    assertThat(read("{\"model_type\": \"deepseek\"}").moe()).as("dense by default").isNull();
  }

  @Test
  void readsIdsThatAreListsNullOrAbsent() {
    ModelConfig config =
        read("{\"model_type\": \"llama\", \"bos_token_id\": null, \"eos_token_id\": [7, 8]}");
    assertThat(config.bosTokenId()).isEqualTo(-1);
    assertThat(config.eosTokenId()).isEqualTo(7);
    assertThat(read("{\"model_type\": \"deepseek\", \"vocab_size\": 320}").eosTokenId())
        .isEqualTo(-1);
  }

  @Test
  void kimiHasTheLayersOfV3() {
    ModelConfig kimi = read(V3.replace("deepseek_v3", "kimi_k2") + ", \"n_routed_experts\": 384}");
    assertThat(kimi.architecture()).isEqualTo(Architecture.DEEPSEEK_V3);
    assertThat(kimi.attention()).isEqualTo(read(V3 + "}").attention());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"model_type\": \"gemma3\", \"head_dim\": 128} | llama",
        "{\"model_type\": \"qwen3_moe\", \"num_experts\": 128} | deepseek",
        "{\"model_type\": \"mixtral\", \"num_local_experts\": 8} | deepseek",
        "{\"model_type\": \"minicpm3\", \"kv_lora_rank\": 256} | deepseek_v2",
        "{\"model_type\": \"kimi_k25\", \"text_config\": {\"kv_lora_rank\": 512, \"n_group\": 1}} |"
            + " deepseek_v3",
        "{\"model_type\": \"glm4_moe_lite\", \"kv_lora_rank\": 512, \"n_group\": 1} | deepseek_v3"
      })
  void aRefusedModelTypeNamesTheNearestByItsFields(String json, String nearest) {
    assertThatThrownBy(() -> read(json))
        .hasMessageContaining("By its fields the nearest is " + nearest + ",");
  }

  @Test
  void qwensHaveSomethingOfTheirOwnInsideTheAttention() {
    ModelConfig qwen2 =
        read(
            "{\"model_type\": \"qwen2\", \"hidden_size\": 64, \"num_attention_heads\": 4,"
                + " \"num_key_value_heads\": 2}");
    assertThat(qwen2.attention())
        .isEqualTo(new AttentionConfig.GroupedQuery(4, 2, 16, true, false));
    ModelConfig qwen3 =
        read(
            "{\"model_type\": \"qwen3\", \"hidden_size\": 64, \"num_attention_heads\": 4,"
                + " \"num_key_value_heads\": 2, \"head_dim\": 24}");
    assertThat(qwen3.attention())
        .isEqualTo(new AttentionConfig.GroupedQuery(4, 2, 24, false, true));
    for (ModelConfig config : List.of(qwen2, qwen3)) {
      assertThat(read(ModelConfigWriter.json(config).toString())).isEqualTo(config);
      assertThat(config.bosTokenId()).isEqualTo(-1);
    }
  }

  @Test
  void llama3sPositionsAreReadAndWritten() {
    ModelConfig config =
        read(
            "{\"model_type\": \"llama\", \"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\":"
                + " 8, \"low_freq_factor\": 1, \"high_freq_factor\": 4,"
                + " \"original_max_position_embeddings\": 8192}}");
    assertThat(config.rope().scaling()).isEqualTo(new RopeScaling.Llama3(8, 1, 4, 8192));
    assertThat(read(ModelConfigWriter.json(config).toString())).isEqualTo(config);
  }

  @Test
  void readsTheSwitchesOfV3() {
    assertThat(read(V3 + ", \"rope_interleave\": false}").rope().interleaved()).isFalse();
    assertThat(read(V3 + ", \"num_nextn_predict_layers\": 0}").mtpModules()).isZero();
    assertThat(read(V3 + ", \"num_mtp_layers\": 2}").mtpModules()).isEqualTo(2);
    assertThat(read(V3 + ", \"q_lora_rank\": null}").attention())
        .isEqualTo(new AttentionConfig.MultiHeadLatent(128, 0, 512, 128, 64, 128));
  }

  @Test
  void yarnFallsBackOnTheModelsPositions() {
    ModelConfig config =
        read(
            "{\"model_type\": \"llama\", \"max_position_embeddings\": 512,"
                + " \"rope_theta\": 5e4, \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4}}");
    assertThat(config.rope())
        .isEqualTo(new RopeConfig(50000, new RopeScaling.Yarn(4, 512, 32, 1, 1, 0), false));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{} | it has no 'model_type'",
        "{\"model_type\": \"gemma3\"} | model_type 'gemma3' is not supported. Supported model types"
            + " are llama, qwen2, qwen3, deepseek, deepseek_v2, deepseek_v3.",
        "{\"model_type\": \"qwen2\", \"use_sliding_window\": true} | use_sliding_window true is not"
            + " supported",
        "{\"model_type\": \"llama\", \"hidden_act\": \"gelu\"} | hidden_act 'gelu' is not"
            + " supported",
        "{\"model_type\": \"llama\", \"attention_bias\": true} | attention_bias true is not"
            + " supported",
        "{\"model_type\": \"llama\", \"mlp_bias\": true} | mlp_bias true is not supported",
        "{\"model_type\": \"llama\", \"attention_dropout\": 0.1} | attention_dropout 0.1 is not"
            + " supported",
        "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2}} |"
            + " rope scaling type 'dynamic' is not supported. Supported are default, linear, yarn"
            + " and llama3.",
        "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"linear\"}} | field"
            + " 'rope_scaling.factor' is missing",
        "{\"model_type\": \"llama\", \"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4,"
            + " \"attention_factor\": 2}} | yarn's attention_factor is 2.0 where its mscales give",
        "{\"model_type\": \"llama\", \"rope_parameters\": {\"full_attention\": {}, \"rope_type\":"
            + " 3}} | field 'rope_parameters.rope_type' is 3. It must be a string",
        "{\"model_type\": \"llama\", \"partial_rotary_factor\": 0.5} | partial_rotary_factor 0.5 is"
            + " not supported",
        "{\"model_type\": \"llama\", \"hidden_size\": 100, \"num_attention_heads\": 3} |"
            + " hidden_size 100 is no multiple of num_attention_heads 3",
        "{\"model_type\": \"llama\", \"hidden_size\": \"big\"} | field 'hidden_size' is \"big\". It"
            + " must be a whole number",
        "{\"model_type\": \"llama\", \"hidden_size\": 1e3} | field 'hidden_size' is 1000.0. It must"
            + " be a whole number",
        "{\"model_type\": \"llama\", \"hidden_size\": 99999999999} | field 'hidden_size' is"
            + " 99999999999",
        "{\"model_type\": \"llama\", \"num_hidden_layers\": 0} | num_hidden_layers is 0. Set it to"
            + " 1 to 1024",
        "{\"model_type\": \"llama\", \"num_attention_heads\": 0} | num_attention_heads is 0",
        "{\"model_type\": \"llama\", \"vocab_size\": -5} | vocab_size is -5",
        "{\"model_type\": \"llama\", \"eos_token_id\": 32000} | eos_token_id is 32000. Set it to -1"
            + " to 31999",
        "{\"model_type\": \"llama\", \"rms_norm_eps\": 0} | rms_norm_eps is 0.0",
        "{\"model_type\": \"deepseek_v2\"} | num_experts_per_tok is 0",
        "{\"model_type\": \"deepseek_v2\", \"topk_method\": \"noaux_tc\"} | topk_method 'noaux_tc'"
            + " is not supported for model_type deepseek_v2. Supported is greedy or"
            + " group_limited_greedy.",
        "{\"model_type\": \"deepseek_v3\", \"scoring_func\": \"softmax\"} | scoring_func 'softmax'"
            + " is not supported for model_type deepseek_v3. Supported is sigmoid.",
        "{\"model_type\": \"deepseek_v3\", \"num_key_value_heads\": 8} | num_key_value_heads 8"
            + " differs from num_attention_heads 128",
        "{\"model_type\": \"deepseek_v3\", \"n_group\": 7} | n_routed_experts 256 is no multiple of"
            + " n_group 7",
        "{\"model_type\": \"deepseek_v3\", \"first_k_dense_replace\": 62} | first_k_dense_replace"
            + " is 62",
        "[] | it holds [], not a JSON object",
      })
  void refusesWhatItCannotBuild(String json, String problem) {
    assertThatThrownBy(() -> read(json))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageStartingWith("cannot read some/config.json: ")
        .hasMessageContaining(problem);
  }

  @Test
  void saysThatAFolderHasNoConfig() {
    assertThatThrownBy(() -> ModelConfigReader.read(folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("config.json: there is no such file");
  }

  @Test
  void readsTheBlocksOfPublishedFp8Weights() throws IOException {
    quantized("{\"quant_method\": \"fp8\", \"fmt\": \"e4m3\", \"weight_block_size\": [128, 64]}");
    assertThat(ModelConfigReader.read(folder).layers()).isEqualTo(61);
    QuantizedWeights.Blocks blocks = QuantizedWeights.blocks(folder).orElseThrow();
    assertThat(blocks).isEqualTo(new QuantizedWeights.Blocks(128, 64));
    assertThat(blocks.ofRows(129)).isEqualTo(2);
    assertThat(blocks.ofColumns(128)).isEqualTo(2);
    assertThat(QuantizedWeights.blocks(Goldens.folder("v3"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"quant_method": "gptq", "bits": 4} | quantized, gptq
          {"quant_method": "bitsandbytes", "load_in_4bit": true} | adapter: {base: nf4}
          {"bits": 4} | an unnamed method
          {"quant_method": "fp8", "activation_scheme": "static"} | fp8 without weight_block_size
          {"quant_method": "fp8", "fmt": "e5m2", "weight_block_size": [128, 128]} | format e5m2
          {"quant_method": "fp8", "weight_block_size": [128]} | weight_block_size [128]
          {"quant_method": "fp8", "weight_block_size": [128, 0]} | weight_block_size [128,0]
          {"quant_method": "fp8", "weight_block_size": 128} | weight_block_size 128
          """)
  void refusesWeightsThatAreQuantizedInOtherWays(String quantization, String message)
      throws IOException {
    quantized(quantization);
    assertThat(ModelConfigReader.read(folder).layers()).isEqualTo(61);
    assertThatThrownBy(() -> QuantizedWeights.blocks(folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot use the weights of " + folder)
        .hasMessageContaining(message)
        .hasMessageContaining("Take the original weights");
  }

  private void quantized(String quantization) throws IOException {
    Files.writeString(
        folder.resolve("config.json"), V3 + ", \"quantization_config\": " + quantization + "}");
  }

  private static ModelConfig read(String json) {
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return ModelConfigReader.read(
        Json.parse(bytes, "some/config.json", ErrorCode.CONFIG), "some/config.json");
  }
}
