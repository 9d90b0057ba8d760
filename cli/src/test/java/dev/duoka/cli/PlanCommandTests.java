package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.json.Json;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Precision;
import dev.duoka.layout.StateForm;
import dev.duoka.train.config.AdapterOption;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

final class PlanCommandTests {
  private final ProgramRun program = new ProgramRun();
  private final StringWriter out = program.out();
  private final StringWriter err = program.err();

  @Test
  void thePlannedRunFileIsOneThatTrainTakes(@TempDir Path folder) {
    Path file = folder.resolve("run.yaml");
    assertThat(
            program.run(
                "plan",
                "--model",
                "deepseek-llm-7b",
                "--machine",
                "8xA100-80G-SXM",
                "--out",
                file.toString()))
        .isZero();
    RunConfig config = RunFile.read(file, List.of());
    assertThat(config.model().preset()).contains("deepseek-llm-7b");
    assertThat(config.parallel().data()).isEqualTo(8);
    assertThat(config.training().precision()).isEqualTo(Precision.BF16);
    assertThat(err.toString()).contains("wrote " + file + ": " + config.layout());
    BatchPlan batch = BatchPlan.of(config);
    assertThat(batch.tokensPerStep()).isEqualTo(1 << 20);
  }

  @Test
  void aModelOfOnesOwnIsNamedByItsFolder(@TempDir Path folder) throws IOException {
    Path model = Files.createDirectory(folder.resolve("my \"model"));
    Files.writeString(
        model.resolve("config.json"),
        """
        {"model_type": "llama", "hidden_size": 1024, "num_hidden_layers": 8,
         "num_attention_heads": 8, "intermediate_size": 2816, "vocab_size": 32000,
         "max_position_embeddings": 2048, "bos_token_id": 1, "eos_token_id": 2}
        """);
    Path file = folder.resolve("run.yaml");
    assertThat(
            program.run(
                "plan",
                "--model",
                model.toString(),
                "--machine",
                "2xRTX4090",
                "--tokens",
                "5000000",
                "--data",
                "corpus/*.txt",
                "--out",
                file.toString()))
        .isZero();
    RunConfig config = RunFile.read(file, List.of());
    assertThat(config.model().path()).contains(model);
    assertThat(config.data().locations()).containsExactly("corpus/*.txt");
    assertThat(config.data().sequenceLength()).isEqualTo(2048);
    assertThat(config.training().tokens()).hasValue(5_000_000);
  }

  @Test
  void jsonIsOneObjectOnStandardOutput() {
    assertThat(program.run("plan", "--model", "deepseek-v2-lite", "--machine", "8xH100", "--json"))
        .isZero();
    JsonNode json =
        Json.parse(
            out.toString().getBytes(StandardCharsets.UTF_8), "standard output", ErrorCode.FORMAT);
    for (String field :
        List.of(
            "parameters",
            "active_parameters",
            "machine",
            "plans",
            "infeasible",
            "pareto",
            "rules")) {
      assertThat(json.has(field)).as(field).isTrue();
    }
    assertThat(err.toString().lines().filter(line -> !line.startsWith("planning")))
        .as("nothing but how far it is")
        .isEmpty();
  }

  /** The engine's own code, run with shapes alone, books what the closed forms predict. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-coder-1.3b, 1xH100, 16384",
    "deepseek-llm-7b, 8xA100, 1048576",
    "deepseek-v2-lite, 8xH200, 131072",
    "deepseek-moe-16b, 8xB200, 131072"
  })
  void predictedBytesAreThoseThatTheEngineCounts(String model, String machine, String tokens) {
    int status =
        program.run(
            "plan",
            "--model",
            model,
            "--machine",
            machine,
            "--tokens-per-step",
            tokens,
            "--verify",
            "--json");
    assertThat(status).as(err.toString()).isZero();
    JsonNode json =
        Json.parse(
            out.toString().getBytes(StandardCharsets.UTF_8), "standard output", ErrorCode.FORMAT);
    assertThat(json.get("verify").get("error").asDouble()).isZero();
  }

  /** What is planned of an adapter is what the engine books of it and what the file trains. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // 24 layers of 2048 and 5504, a vocabulary of 32256
        "deepseek-coder-1.3b | 1xH100 | lora --rank 4 --modules q_proj,down_proj --train-whole"
            + " lm_head | 67178496",
        // 26 layers of 64 experts of 2048 and 1408; beside them rank 4 at 27 times 2048 to 3072
        "deepseek-v2-lite | 2xH200 | qlora --rank 4 --modules q_proj --experts down_proj"
            + " --no-double-quantization | 23556096"
      })
  void anAdaptersBytesAreThoseThatTheEngineCounts(
      String model, String machine, String adapter, long trained, @TempDir Path folder) {
    Path file = folder.resolve("run.yaml");
    List<String> arguments =
        new ArrayList<>(
            List.of("plan", "--model", model, "--machine", machine, "--tokens-per-step", "32768"));
    arguments.addAll(List.of("--verify", "--json", "--out", file.toString(), "--method"));
    arguments.addAll(List.of(adapter.split(" ")));
    int status = program.run(arguments.toArray(String[]::new));
    assertThat(status).as(err.toString()).isZero();
    JsonNode json = Json.parse(bytes(), "plan", ErrorCode.FORMAT);
    assertThat(json.get("verify").get("error").asDouble()).isZero();
    assertThat(json.get("adapter").get("trained_parameters").asLong()).isEqualTo(trained);
    assertThat(json.get("adapter").get("rank").asInt()).isEqualTo(4);
    AdapterConfig written = RunFile.read(file, List.of()).adapter().orElseThrow().config();
    assertThat(written.rank()).isEqualTo(4);
    assertThat(written.alpha()).isEqualTo(8);
    assertThat(written.saved().contains("lm_head")).isEqualTo(adapter.contains("lm_head"));
    assertThat(written.parameters().isEmpty()).isNotEqualTo(adapter.contains("--experts"));
  }

  @Test
  void allThatIsSaidOfAnAdapterIsWrittenAndSaid(@TempDir Path folder) {
    Path file = folder.resolve("run.yaml");
    int status =
        program.run(
            ("plan --model deepseek-coder-1.3b --machine 1xH100 --tokens-per-step 16384 --method"
                    + " qlora --rank 8 --alpha 24 --dropout 0.05 --dora --rslora --modules"
                    + " q_proj,mlp.down_proj --exclude layers.0.mlp.down_proj --train-whole"
                    + " embed_tokens,lm_head --rank-pattern .*down_proj=2"
                    + " --no-double-quantization --out "
                    + file)
                .split(" "));
    assertThat(status).as(err.toString()).isZero();
    assertThat(RunFile.read(file, List.of()).adapter().orElseThrow().config())
        .isEqualTo(
            new AdapterConfig(
                8,
                24,
                0.05,
                true,
                true,
                new NamePatterns.Ends(List.of("q_proj", "mlp.down_proj")),
                new NamePatterns.Ends(List.of("layers.0.mlp.down_proj")),
                List.of(),
                List.of(),
                Map.of(".*down_proj", 2),
                Map.of(),
                List.of("embed_tokens", "lm_head"),
                BaseForm.NF4_SINGLE));
    assertThat(out.toString())
        .contains(
            "The adapter: rank 8, rsLoRA, alpha 24, on q_proj and mlp.down_proj, not on"
                + " layers.0.mlp.down_proj, other ranks by {.*down_proj=2}, DoRA, dropout 0.05,"
                + " embed_tokens and lm_head trained whole, beside a base in NF4, its scales in"
                + " fp32. It trains 13");
  }

  @Test
  void theUsualAdapterIsThatOfARunFileThatSaysNothing(@TempDir Path folder) {
    Path file = folder.resolve("run.yaml");
    assertThat(
            program.run(
                "plan",
                "--model",
                "deepseek-coder-1.3b",
                "--machine",
                "1xH100",
                "--method",
                "lora",
                "--out",
                file.toString()))
        .isZero();
    assertThat(out.toString())
        .contains("The adapter: rank 16, alpha 32, on all linear layers, nothing else trained");
    assertThat(RunFile.read(file, List.of()).adapter().orElseThrow().config())
        .isEqualTo(AdapterConfig.USUAL)
        .isEqualTo(AdapterOption.parse(Map.of()).config());
  }

  @Test
  void statesInFewerBitsAreAskedForAndWritten(@TempDir Path folder) {
    Path file = folder.resolve("run.yaml");
    int status =
        program.run(
            "plan",
            "--model",
            "deepseek-coder-1.3b",
            "--machine",
            "1xRTX4090",
            "--moments",
            "8bit",
            "--no-master-weights",
            "--out",
            file.toString());
    assertThat(status).as(err.toString()).isZero();
    assertThat(out.toString()).contains("8bit moments, no master weights", "counted by a dry run");
    assertThat(RunFile.read(file, List.of()).memory().states())
        .isEqualTo(new StateForm(MomentForm.BITS8, false, GradientForm.FP32));
  }

  @Test
  void whatDoesNotFitEndsWithOneAndSaysWhatWouldHelp() {
    assertThat(program.run("plan", "--model", "deepseek-v3", "--machine", "8xA100")).isEqualTo(1);
    assertThat(out.toString()).contains("Nothing fits", "changes");
  }

  @Test
  void withoutARunnableLayoutNoRunFileIsWritten(@TempDir Path folder) {
    Path file = folder.resolve("run.yaml");
    assertThat(
            program.run(
                "plan",
                "--model",
                "deepseek-llm-67b",
                "--machine",
                "1xRTX3090",
                "--out",
                file.toString()))
        .isEqualTo(2);
    assertThat(err.toString()).contains("no run file was written");
    assertThat(file).doesNotExist();
  }

  @Test
  void aMeasuredMachineIsPlannedByItsProfile() {
    String profile =
        Path.of(System.getProperty("duoka.repository"), "bench/profiles/2026-11-29-one-h200.json")
            .toString();
    assertThat(
            program.run("plan", "--model", "deepseek-coder-1.3b", "--profile", profile, "--json"))
        .isZero();
    JsonNode measured = Json.parse(bytes(), "plan", ErrorCode.FORMAT);
    assertThat(measured.path("machine").path("name").asString("")).isEqualTo("1xH200-141G-SXM");
    assertThat(measured.path("machine").path("profile").asString(""))
        .isEqualTo("1 x NVIDIA H200, measured 2026-11-29");
    assertThat(program.run("plan", "--model", "deepseek-coder-1.3b", "--profile", profile))
        .isZero();
    assertThat(out.toString())
        .contains("Times by what 'calibrate' measured: 1 x NVIDIA H200")
        .contains("by what was measured");
    assertThat(
            program.run(
                "plan",
                "--model",
                "deepseek-coder-1.3b",
                "--profile",
                profile,
                "--machine",
                "4xH100-80G-SXM"))
        .isEqualTo(2);
    assertThat(err.toString())
        .contains("the profile is of NVIDIA H200, the machine has H100-80G-SXM");
  }

  /** A question that nothing fits is answered with 1, a wrong file is not. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"date\" : [^,]*, | \"date\" : \"yesterday\", | date is 'yesterday'",
        "\"seconds\" : [^,]*, | \"seconds\" : NaN, | malformed JSON",
        "\"NVIDIA H200\" | \"NVIDIA A100-SXM4-80GB\" | different cards"
      })
  void aDamagedProfileIsAWrongQuestion(
      String place, String instead, String message, @TempDir Path folder) throws IOException {
    Path kept =
        Path.of(System.getProperty("duoka.repository"), "bench/profiles/2026-11-29-two-h200.json");
    Path file = folder.resolve("profile.json");
    Files.writeString(file, Files.readString(kept).replaceFirst(place, instead));
    assertThat(program.run("plan", "--model", "deepseek-v2-lite", "--profile", file.toString()))
        .isEqualTo(2);
    assertThat(err.toString())
        .contains(message)
        .doesNotContain("internal error", "JsonReadFeature", "\tat ");
  }

  private byte[] bytes() {
    return out.toString().getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aTopologyNeedsItsCard(@TempDir Path folder) throws IOException {
    Path topology =
        Files.writeString(
            folder.resolve("topo.txt"), "\tGPU0\tGPU1\nGPU0\t X \tNV12\nGPU1\tNV12\t X \n");
    assertThat(program.run("plan", "--model", "tiny-v3", "--topo", topology.toString()))
        .isEqualTo(2);
    assertThat(err.toString()).contains("--card");
    assertThat(
            program.run(
                "plan", "--model", "tiny-v3", "--topo", topology.toString(), "--card", "A100"))
        .isZero();
    assertThat(out.toString()).contains("2xA100-80G-SXM", "nvlink");
  }

  @Test
  void whatIsDamagedInATopologyIsSaid(@TempDir Path folder) throws IOException {
    Path topology =
        Files.writeString(
            folder.resolve("topo.txt"),
            """
            \tGPU0\tGPU1\tGPU2
            GPU0\t X \tNV12\tNV12
            GPU1\tPHB\t X \tNV12
            GPU2\tNV12\tNV12\t X\s
            """);
    program.run("plan", "--model", "tiny-v3", "--topo", topology.toString(), "--card", "A100");
    assertThat(err.toString()).contains("duoka: warning: topology: ");
    assertThat(
            program.run(
                "plan", "--model", "tiny-v3", "--topo", topology.toString(), "--card", "RTX4090"))
        .isEqualTo(2);
    assertThat(err.toString()).contains("has no NVLink");
  }

  @Test
  void aBatchOfAnyNumberOfCardsKeepsThemAllBusy() {
    assertThat(
            program.run(
                "plan", "--model", "deepseek-coder-1.3b", "--machine", "7xRTX4090", "--json"))
        .isZero();
    JsonNode best =
        Json.parse(
                out.toString().getBytes(StandardCharsets.UTF_8),
                "standard output",
                ErrorCode.FORMAT)
            .get("plans")
            .get(0);
    assertThat(best.get("layout").get("data").asInt()).isEqualTo(7);
    assertThat(err.toString().lines().filter(line -> !line.startsWith("planning")))
        .as("nothing but how far it is")
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "plan --model deepseek-v4 --machine 8xH100 | Did you mean 'deepseek-v",
        "plan --model deepseek-v3 --machine 0xH100 | 1 to 8 GPUs",
        "plan --model deepseek-v3 --machine 1000xH100 | 1 to 8 GPUs",
        "plan --model deepseek-v3 --machine 8xH101 | Did you mean",
        "plan --model deepseek-v3 --machine 2xH100+2xA100 | two kinds of cards",
        "plan --model deepseek-v3 --machine H100+A100 | two kinds of cards",
        "advise --model deepseek-llm-7b --gpus 2xH100+2xA100 | two kinds of cards",
        "plan --model deepseek-v3 --profile /no/such.json | cannot read the machine profile",
        "plan --model deepseek-v3 --machine 8xH100 --topo a.txt | both say which machine",
        "plan --model deepseek-v3 --machine 8xH100 --card H100 | --card is for --topo only",
        "plan --model deepseek-v3 --machine 8xH100 --seq 1 | Sequences have 2 to",
        "plan --model deepseek-v3 --machine 8xH100 --tokens-per-step 5000 | Nearest: 4096 or 8192",
        "plan --model deepseek-v3 --machine 8xH100 --tokens-per-step -1 | Give 1 to",
        "plan --model deepseek-v3 --machine 8xH100 --method lorra | Did you mean 'lora'",
        "plan --model deepseek-v3 --machine 8xH100 --method full-8bit | --moments 8bit",
        "plan --model deepseek-v3 --machine 8xH100 --rank 4 | --rank with --method full",
        "plan --model deepseek-v3 --machine 8xH100 --method full --train-whole lm_head | lora or",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --rank 0 | from 1 to 65536",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --dropout 1 | --dropout",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --modules o_prj | of"
            + " --modules fits no linear layer in the model. Did you mean 'o_proj'",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --modules o_proj --exclude o_proj"
            + " | --exclude (o_proj) leaves out all that --modules means",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --modules o_proj,q_aproj"
            + " | Did you mean 'q_a_proj'",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --experts up_proj | gate_up_proj",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --train-whole lmhead"
            + " | Did you mean 'lm_head'",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --rank-pattern (=3 | expression",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --experts down_proj --dora"
            + " | on stacked experts have no magnitudes (DoRA), in",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --experts down_proj --dropout 0.1"
            + " | on stacked experts have no dropout, in",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --rank-pattern o_proj"
            + " | --rank-pattern wants REGEX=N, not",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --rank-pattern o_proj=x"
            + " | is no whole number",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --rank-pattern o_proj=-2"
            + " | --rank-pattern says -2 for",
        "plan --model deepseek-v3 --machine 8xH100 --method lora --no-double-quantization"
            + " | --double-quantization with --method lora",
        "plan --model deepseek-v3 --machine 8xH100 --moments 9bit | Did you mean '8bit'",
        "plan --model deepseek-v3 --machine 8xH100 --gradients fp16 | --gradients 'fp16'",
        "plan --model deepseek-v3 --machine 8xV100 --no-master-weights | not for fp16",
        "plan --model deepseek-v3 --machine 8xH100 --precision bf17 | Did you mean 'bf16'",
        "plan --model deepseek-v3 --machine 8xV100 --precision bf16 | does not compute in bf16",
        "plan --model deepseek-v3 --machine 8xH100 --imbalance 0.5 | --imbalance 0.5",
        "plan --model deepseek-v3 --machine 8xH100 --host-memory -3 | --host-memory -3",
        "plan --machine 8xH100 | --model",
        "advise --model deepseek-llm-7b | --budget",
        "advise --budget 1000 | --model",
        "advise --model deepseek-llm-7b --budget -5 | --budget -5",
        "plan --model deepseek-v3 --topo /no/such/topo.txt | does not exist",
        "plan --model deepseek-v3 --topo / | is no file",
        "plan --model deepseek-v3 --machine 8xH100 --catalogue /no/such.yaml | does not exist",
        "advise --model deepseek-llm-7b --budget 9 --catalogue / | is no file",
        "advise --model deepseek-llm-7b --budget 9 --pay bye | Did you mean 'buy'",
        "advise --model deepseek-llm-7b --budget NaN | --budget NaN",
        "advise --model deepseek-llm-7b --gpus 8xH100 --task dance | --task 'dance'",
        "advise --model deepseek-llm-7b --gpus 8xH100 --tokens 0 | --tokens 0",
        "advise --model deepseek-llm-7b --gpus , | names no machine"
      })
  void wrongQuestionsGetOneClearMessage(String arguments, String message) {
    assertThat(program.run(arguments.split(" "))).isEqualTo(2);
    assertThat(err.toString()).contains(message).doesNotContain("\tat ", "internal error");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void whereNoLayoutRunsItSaysWithWhatOneDoes(@TempDir Path folder) {
    String coder =
        "plan --model deepseek-coder-33b --machine 1xRTX4090 --method qlora --out "
            + folder.resolve("run.yaml");
    assertThat(program.run(coder.split(" "))).isEqualTo(2);
    assertThat(out.toString())
        .contains("This version runs it with any one of these changes:")
        .contains("    sequences of 2048 tokens: ");
    assertThat(err.toString())
        .contains("this version runs none of the layouts that fit. It runs with 2 of these cards");
    assertThat(program.run((coder + " --seq 2048").split(" "))).isZero();
    assertThat(folder.resolve("run.yaml")).exists();
  }

  @Test
  void adviceRanksMachines() {
    assertThat(
            program.run(
                "advise",
                "--model",
                "deepseek-llm-7b",
                "--gpus",
                "8xA100-80G-SXM,4xRTX4090",
                "--task",
                "finetune"))
        .isZero();
    assertThat(out.toString()).contains("8xA100-80G-SXM", "4xRTX-4090-24G");
    assertThat(program.run("advise", "--docs")).isZero();
    assertThat(out.toString()).startsWith("# Hardware");
  }

  @Test
  void filesOfAnyBytesGetOneMessage(@TempDir Path folder) throws IOException {
    Random random = new Random(23);
    for (int i = 0; i < 30; i++) {
      byte[] bytes = new byte[random.nextInt(400)];
      random.nextBytes(bytes);
      Path file = Files.write(folder.resolve("garbage"), bytes);
      assertThat(
              program.run(
                  "plan", "--model", "tiny-v3", "--topo", file.toString(), "--card", "A100"))
          .isNotZero();
      assertThat(err.toString()).startsWith("duoka: ").doesNotContain("internal error");
      assertThat(
              program.run(
                  "plan",
                  "--model",
                  "tiny-v3",
                  "--machine",
                  "1xH100",
                  "--catalogue",
                  file.toString()))
          .isNotZero();
      assertThat(err.toString()).startsWith("duoka: ").doesNotContain("internal error");
    }
  }
}
