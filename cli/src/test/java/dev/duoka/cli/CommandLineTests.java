package dev.duoka.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.Presets;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;

final class CommandLineTests {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void printsVersionAndHelp() {
    assertThat(run("--version")).isZero();
    assertThat(out.toString()).startsWith("duoka ").contains("Java 25");
    assertThat(run("config", "--help")).isZero();
    assertThat(out.toString()).contains("--set", "--docs", "--stacktrace");
  }

  @Test
  void usageErrorsExitWithTwoAndTheNearestName() {
    assertThat(run("cofnig")).isEqualTo(2);
    assertThat(err.toString()).contains("no command 'cofnig'. Did you mean 'config'?");
    assertThat(run("config", "--doc")).isEqualTo(2);
    assertThat(err.toString()).contains("no option --doc. Did you mean '--docs'?");
    assertThat(run("config", "a.yaml", "b.yaml")).isEqualTo(2);
    assertThat(err.toString()).contains("takes no further argument 'b.yaml'");
    assertThat(run()).isEqualTo(2);
    assertThat(err.toString()).contains("a command is missing; one of ", "config");
    assertThat(run("config")).isEqualTo(2);
    assertThat(err.toString()).contains("name a run file").doesNotContain("\tat ");
  }

  @Test
  void configPrintsEveryValueOfAValidFile(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-v3}
            data: {sources: [jdk:src], sequence_length: 256}
            training: {tokens_per_step: 8192, steps: 300}
            """);
    assertThat(run("config", file.toString(), "--set", "training.micro_batch=8")).isZero();
    assertThat(out.toString())
        .contains("8,192 tokens = 1 rank × 4 accumulation steps × 8 sequences × 256 tokens")
        .contains("clip_norm: 1.0");
    assertThat(run("config", file.toString(), "--set", "parallel.pipeline=2")).isZero();
    assertThat(out.toString()).contains("8,192 tokens = 1 data rank × ", "2 ranks: pipeline 2");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void configSaysWhatIsTrained(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [jdk:src], sequence_length: 256}
            training: {tokens_per_step: 8192, steps: 300}
            """);
    assertThat(run("config", file.toString())).isZero();
    assertThat(out.toString()).doesNotContain("trained");
    assertThat(run("config", file.toString(), "--set", "adapter={rank: 4, modules: [q_proj]}"))
        .isZero();
    assertThat(out.toString())
        .contains("# adapter on q_proj in all 3 layers (rank 4, scale 2.0): 3 modules, ")
        .contains("# trained are ");
    assertThat(run("config", file.toString(), "--set", "training.freeze=[embed_tokens]")).isZero();
    assertThat(out.toString()).containsPattern("# [0-9,]+ of [0-9,]+ weights are trained");
    assertThat(run("config", file.toString(), "--json", "--set", "adapter={rank: 4}")).isZero();
    assertThat(out.toString()).contains("\"trained\":[\"adapter on ");
  }

  @Test
  void configShowsWhereRanksAreOnAnotherMachine(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-v3}
            data: {sources: [jdk:src], sequence_length: 256}
            training: {tokens_per_step: 8192, steps: 300}
            parallel: {pipeline: 2, tensor: 2}
            device: cuda
            """);
    Path topology =
        Files.writeString(
            folder.resolve("topo.txt"),
            """
            \tGPU0\tGPU1\tGPU2\tGPU3\tCPU Affinity
            GPU0\tX\tSYS\tNV4\tSYS\t0-3
            GPU1\tSYS\tX\tSYS\tNV4\t0-3
            GPU2\tNV4\tSYS\tX\tSYS\t0-3
            GPU3\tSYS\tNV4\tSYS\tX\t0-3
            """);
    String[] there = {"config", file.toString(), "--topo", topology.toString()};
    assertThat(run(append(there, "--explain"))).isZero();
    assertThat(out.toString())
        .contains("0 GPU0 ═ 1 GPU2", "2 GPU1 ═ 3 GPU3", "order 0, 2, 1, 3", "[0 1] [2 3]");
    assertThat(run(append(there, "--json"))).isZero();
    JsonNode json = Json.parse(out.toString().getBytes(UTF_8), "output", ErrorCode.FORMAT);
    assertThat(json.at("/mesh/seats/1/device").stringValue()).isEqualTo("cuda:2");
    assertThat(run("config", file.toString(), "--topo", "no-such-file")).isEqualTo(2);
    String[] auto = append(append(there, "--set"), "parallel={data: auto, tensor: 2}");
    assertThat(run(auto)).isZero();
    assertThat(out.toString())
        .contains("# 4 ranks: data 2 × tensor 2", "Checked against the machine of " + topology);
    String[] large = append(append(there, "--set"), "parallel={data: 2, tensor: 4}");
    assertThat(run(large)).isEqualTo(2);
    assertThat(out.toString()).isEmpty();
    assertThat(err.toString())
        .contains(
            "--set parallel: 8 ranks want a GPU each, but the machine of " + topology,
            "has 4 GPUs. Nearest that fits: parallel {tensor: 4, data: 1}");
  }

  private static String[] append(String[] arguments, String last) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = last;
    return all;
  }

  @Test
  void configNamesWhatIsWrong(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("run.yaml"), "modle: {}\n");
    assertThat(run("config", file.toString())).isEqualTo(2);
    assertThat(err.toString())
        .contains("run.yaml:1:1: unknown field 'modle'. Did you mean 'model'?");
    assertThat(run("config", "--stacktrace", file.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("\tat dev.duoka.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"config", "train"})
  void configAndTrainRefuseTheSameWithTheLine(String command, @TempDir Path folder)
      throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model:
              preset: tiny-v4
            data:
              sources: [%s/nowhere]
            training: {tokens_per_step: 1024, steps: 3}
            """
                .formatted(folder));
    assertThat(run(command, file.toString())).isEqualTo(2);
    assertThat(err.toString())
        .contains("2 problems in " + file)
        .contains("run.yaml:2:3: there is no model preset 'tiny-v4'")
        .contains("run.yaml:4:13: the source " + folder + "/nowhere does not exist");
  }

  @Test
  void aNameThatEverySectionMayHaveIsNotLookedForInAnother(@TempDir Path folder)
      throws IOException {
    Path file = Files.writeString(folder.resolve("run.yaml"), "optimizer: {kind: adamw}\n");
    assertThat(run("config", file.toString())).isEqualTo(2);
    assertThat(err.toString())
        .contains("unknown field 'kind' in optimizer", "beta1")
        .doesNotContain("belongs in schedule");
    Files.writeString(file, "training: {sequence_length: 64}\n");
    assertThat(run("config", file.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("It belongs in data.");
  }

  @Test
  void parityOnAMeshSaysWhatItDidNotCompare() {
    String golden = System.getProperty("duoka.repository") + "/golden/llama-gqa";
    assertThat(run("parity", golden, "--mesh", "data=2,zero=1", "--json")).isZero();
    assertThat(out.toString())
        .contains("\"mesh\":\"data=2,zero=1\"", "\"not_compared\":[\"logits\"]")
        .contains("\"grad.lm_head.weight\"", "\"passed\":true");
    assertThat(run("parity", golden, "--mesh", "tensor=3")).isEqualTo(2);
    assertThat(err.toString()).contains("4 heads do not divide", "Nearest valid: 2 or 4");
    assertThat(run("parity", golden, "--mesh", "tensors=2")).isEqualTo(2);
    assertThat(err.toString()).contains("unknown field 'tensors'. Did you mean 'tensor'?");
  }

  /** The expected numbers of this copy are those of the same adapter without dropout. */
  @Test
  void parityLeavesAnAdaptersDropoutOutAndSaysSo(@TempDir Path folder) throws IOException {
    Path golden = Path.of(System.getProperty("duoka.repository"), "golden");
    Path source = golden.resolve("llama-gqa-lora");
    for (String file : List.of("adapter_model.safetensors", "expect.safetensors")) {
      Files.copy(source.resolve(file), folder.resolve(file));
    }
    String config =
        Files.readString(source.resolve("adapter_config.json"))
            .replace("../../golden/llama-gqa", golden.resolve("llama-gqa").toString());
    Path its = folder.resolve("adapter_config.json");
    Files.writeString(its, config.replace("\"lora_dropout\": 0.0", "\"lora_dropout\": 0.1"));
    assertThat(run("parity", folder.toString())).isZero();
    assertThat(out.toString())
        .contains("The adapter's lora_dropout of 0.1 is left out: what is expected")
        .contains("merged_after.", "logits", ": holds")
        .doesNotContain("not compared");
    assertThat(run("parity", folder.toString(), "--json")).isZero();
    assertThat(out.toString()).contains("\"dropout_left_out\":0.1");
    assertThat(run("parity", folder.toString(), "--mesh", "tensor=2")).isZero();
    assertThat(out.toString())
        .contains("mesh tensor=2, logits and merged_after.* not compared: ")
        .contains("lora_dropout of 0.1");
    Files.writeString(its, config);
    assertThat(run("parity", folder.toString(), "--mesh", "tensor=2")).isZero();
    assertThat(out.toString()).doesNotContain("dropout");
  }

  @Test
  void selftestNeedsNoDataAndSaysWhatCarriedWhat(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [nowhere], sequence_length: 256}
            training: {tokens_per_step: 8192, steps: 300}
            device: cpu
            threads: 1
            """);
    assertThat(run("selftest", file.toString(), "--set", "parallel.data=2")).isZero();
    assertThat(out.toString())
        .contains("all-reduce      by copies", "fp32: ", "the losses of 3 steps are one rank's")
        .contains("holds: the mesh computes what one rank does");
    assertThat(run("selftest", file.toString(), "--set", "parallel.tensor=5")).isEqualTo(2);
    assertThat(err.toString()).contains("heads do not divide");
  }

  @Test
  void headsThatBelongTogetherAreNamedTogether() {
    String shape = "bench memory --device meta --model tiny-v2 --shape num_attention_heads=2";
    assertThat(run(shape.split(" "))).isEqualTo(2);
    assertThat(err.toString())
        .contains("change num_attention_heads and num_key_value_heads together");
  }

  @Test
  void bytesThatAreNoTextAreNamed() {
    assertThat(run("generate", "runs/x", "--prompt", "\ufffd\ufffd")).isEqualTo(2);
    assertThat(err.toString()).contains("has bytes that are no ", "LC_ALL=C.UTF-8");
  }

  @Test
  void pipesAreNotReadAsFiles(@TempDir Path folder) throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    for (String command : new String[] {"config", "train", "profile"}) {
      assertThat(run((command + " " + pipe).split(" "))).as(command).isEqualTo(2);
      assertThat(err.toString()).contains(pipe + ": it is a pipe, not a file");
    }
  }

  @Test
  void pipesWithLogsAndTopologiesAreRead(@TempDir Path folder)
      throws IOException, InterruptedException {
    assertThat(
            runOnPipe(
                folder.resolve("log"),
                "RuntimeError: CUDA error: invalid device ordinal",
                "diagnose"))
        .isEqualTo(1);
    assertThat(out.toString()).contains("cause", "Read 1 line");
    assertThat(
            runOnPipe(
                folder.resolve("matrix"),
                "\tGPU0\tGPU1\nGPU0\tX\tNV4\nGPU1\tNV4\tX",
                "topo",
                "--file"))
        .isZero();
    assertThat(out.toString()).contains("NV4");
  }

  private int runOnPipe(Path pipe, String text, String... command)
      throws IOException, InterruptedException {
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Process writer =
        new ProcessBuilder("sh", "-c", "printf '%s\\n' \"$1\" > \"$0\"", pipe.toString(), text)
            .start();
    try {
      return run(
          Stream.concat(Arrays.stream(command), Stream.of(pipe.toString())).toArray(String[]::new));
    } finally {
      writer.destroy();
    }
  }

  @Test
  void devicesAreNotRead() {
    for (String command : new String[] {"config", "train", "diagnose", "topo --file", "profile"}) {
      assertThat(run((command + " /dev/zero").split(" "))).as(command).isEqualTo(2);
      assertThat(err.toString()).contains("/dev/zero: it is a device, not a file");
    }
  }

  @Test
  void aContainerNamesWhatItWillNotFind(@TempDir Path folder) throws IOException {
    Path there = Files.createDirectories(folder.resolve("there"));
    Path zip = Files.writeString(folder.resolve("a.zip"), "");
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            "model: {preset: tiny-llama}\ndevice: cpu\ndata: {sources: [jdk:src, %s/missing, %s/*.txt, '%s!/docs/**']}\ntraining: {tokens_per_step: 1024, steps: 3}\n"
                .formatted(folder, there, zip));
    Path out = folder.resolve("box");
    assertThat(run("container", file.toString(), "--out", out.toString())).isZero();
    assertThat(err.toString())
        .contains("jdk:src, which the Java runtime in a bundle does not bring")
        .contains("the source " + folder + "/missing is not here")
        .doesNotContain("the source " + there, "the source " + zip);
    assertThat(Files.readString(out.resolve("compose.yaml")))
        .contains("\"" + folder + "/missing\"", "\"" + there + "\"", "\"" + zip + "\"");
  }

  @Test
  void stepsAreNotNegative() {
    assertThat(run("train", "none.yaml", "--max-steps", "-1")).isEqualTo(2);
    assertThat(err.toString()).contains("--max-steps is -1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "plan --model x --seq abc; --seq 'abc' is no whole number. Write it in digits alone, like"
            + " 4096.",
        "plan --model x --seq 99999999999; --seq '99999999999' is too large. The largest is"
            + " 2147483647.",
        "plan --model x --tokens-per-step 1e6; --tokens-per-step '1e6' is no whole number.",
        "advise --model x --budget much; --budget 'much' is no number. Write it like 20000, 0.5 or"
            + " 2e4.",
        "container --gpus all; --gpus 'all' is no whole number.",
        "bench train --precision bf61; --precision 'bf61' is not known. Did you mean 'bf16'?"
      })
  void aValueThatIsNoneNamesTheOptionAndWhatIsValid(String line, String message) {
    assertThat(run(line.split(" "))).isEqualTo(2);
    assertThat(err.toString()).startsWith("duoka: " + message).doesNotContain("\tat ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "bench train --batch 0; --batch is 0. Give a whole number from 1 to 1048576",
        "bench memory --accumulation -1; --accumulation is -1. Give a whole number from 1",
        "bench train --seq 0; --seq is 0. Give a whole number from 2 to 1048576",
        "bench memory --device meta --seq 999999999; --seq is 999999999.",
        "bench memory --device meta --seq 65536 --batch 65536; the step's number of tokens,",
        "bench train --steps 0; --steps is 0. Give a whole number from 1",
        "bench train --offload-fraction 0.5; --offload-fraction 0.5 with --offload none. Give a"
            + " number above 0 and up to 1, with --offload optimizer",
        "bench train --warm-up -1; --warm-up is -1. Give a whole number from 0",
        "bench train --device cpu --collectives peer; --collectives is 'peer', but one rank",
        "bench train --device cpu --mesh data=2 --collectives ncl; --mesh: collectives wants one"
            + " of",
        "bench train --device cpu --mesh data=2 --collectives nccl; parallel.collectives is nccl,",
        "bench train --device cpu --mesh tensor=5; parallel.tensor is 5, but",
        "bench comm --device cpu --sizes 1MB; --sizes has '1MB'. Give whole numbers of B, KiB, MiB",
        "bench dispatch --device cpu --tokens 0; --tokens has 0. Give numbers from 1 to",
        "bench dispatch --device cpu --model tiny-llama; --model has no experts",
        "bench comm --device cpu --ranks 1; one rank exchanges nothing. Give --ranks from 2 to 32",
        "bench comm --device cpu --collectives x; --collectives is 'x'. Use all, or one of auto,",
        "bench train --device tpu; --device is 'tpu'. Use meta, or one of auto, cpu, cuda,",
        "bench kernels --hidden 2047; --hidden is 2047. Give a multiple of 8 from 8 to 16384",
        "bench kernels --experts-per-token 9 --experts 8; --experts-per-token is 9.",
        "profile run.yaml --steps 0; --steps is 0. Give a whole number from 1",
        "env --device tpu; --device is 'tpu'. Use one of auto, cpu, cuda,"
      })
  void numbersAndDevicesThatCannotBeAreRefused(String line, String message) {
    assertThat(run(line.split(" "))).isEqualTo(2);
    assertThat(err.toString()).startsWith("duoka: " + message).doesNotContain("internal error");
  }

  /** No host that runs these tests has the terabytes that this step takes. */
  @ParameterizedTest
  @ValueSource(strings = {"train", "memory"})
  void aStepThatDoesNotFitIsRefusedBeforeItIsTaken(String benchmark) {
    assertThat(run("bench", benchmark, "--model", "deepseek-llm-67b", "--device", "cpu"))
        .isEqualTo(1);
    assertThat(err.toString()) // behind what says how far it is, on a busy machine
        .contains("duoka: a training step with micro-batch 8 and recompute none needs ")
        .contains(" TiB (", "optimizer ", "of the host's memory, but the ")
        .contains("Even micro-batch 1 with recompute full needs ");
  }

  @Test
  void aMetaBenchmarkReportsMemoryAlone() {
    assertThat(
            run(
                "bench",
                "train",
                "--model",
                "tiny-llama",
                "--device",
                "meta",
                "--batch",
                "1",
                "--seq",
                "256",
                "--steps",
                "1",
                "--warm-up",
                "1",
                "--json"))
        .isZero();
    assertThat(out.toString())
        .contains("\"peak_gib\"", "\"memory_by_owner\"", "\"date\"", "\"deterministic\":false")
        .contains("\"command\":\"duoka bench train --model tiny-llama --device meta")
        .doesNotContain(
            "tokens_per_second", "mfu", "roofline", "floor_ms", "loss", "driver_gib", "first_step");
  }

  @Test
  void aStepOfAMeshReportsEveryRank() {
    String step = "bench train --model tiny-llama --device cpu --batch 1 --seq 64 --precision fp32";
    assertThat(run((step + " --steps 1 --warm-up 0 --mesh data=2 --json").split(" "))).isZero();
    JsonNode report = printed();
    assertThat(report.get("mesh").asString()).isEqualTo("data=2");
    assertThat(report.get("collectives").asString()).isEqualTo("copies");
    assertThat(report.get("by_rank")).hasSize(2);
    assertThat(run((step + " --steps 1 --warm-up 0 --mesh data=2").split(" "))).isZero();
    assertThat(out.toString())
        .contains("tokens_per_second_per_rank", "exposed ms by group", "   1 cpu ", "   world ")
        .doesNotContain("by_rank");
  }

  @Test
  void exchangesOfACpuAreListedByTransport() {
    String line = "bench comm --device cpu --sizes 1KiB,16KiB --collectives ";
    assertThat(run((line + "all --json").split(" "))).isZero();
    JsonNode report = printed();
    assertThat(report.get("ranks").asInt()).isEqualTo(2);
    assertThat(report.get("missing").get("peer").asString())
        .isEqualTo("2 ranks lie on [cpu], not on a GPU each");
    assertThat(report.get("exchanges")).hasSize(12);
    assertThat(report.get("exchanges").get(0).get("collective").asString()).isEqualTo("all-reduce");
    assertThat(report.get("exchanges").get(0).has("bus_gb_per_second")).isTrue();
    assertThat(run((line + "copies").split(" "))).isZero();
    assertThat(out.toString())
        .contains("2 ranks on cpu", "copies", "send-receive      16.00 KiB")
        .doesNotContain("WRONG", "not by");
  }

  @Test
  void whatARunHasSaidIsShownAndNotObeyed(@TempDir Path demo) throws IOException {
    Files.createFile(demo.resolve("metrics.jsonl"));
    assertThat(run("logs", demo.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("has said nothing: it has no run.log");
    byte[] said = "step 1\tdone\n\u001b[2J?\n".getBytes(UTF_8);
    said[said.length - 2] = (byte) 0xff;
    Files.write(demo.resolve("run.log"), said);
    assertThat(run("logs", demo.toString())).isZero();
    assertThat(out.toString().lines()).containsExactly("step 1\tdone", "␛[2J\uFFFD");
  }

  @Test
  void dispatchersAreListedByTokens(@TempDir Path model) throws IOException {
    Files.writeString(
        model.resolve("config.json"),
        Presets.json("deepseek-v2-lite")
            .toString()
            .replace("\"hidden_size\":2048", "\"hidden_size\":32"));
    String line = "bench dispatch --device cpu --tokens 4,16 --model " + model;
    assertThat(run((line + " --json").split(" "))).isZero();
    JsonNode report = printed();
    assertThat(report.get("width").asInt()).isEqualTo(32);
    assertThat(report.get("auto").asString()).isEqualTo("all_gather");
    assertThat(report.get("missing").has("nccl")).isTrue();
    assertThat(report.get("dispatches")).hasSize(4);
    JsonNode last = report.get("dispatches").get(3);
    assertThat(last.get("dispatcher").asString()).isEqualTo("all_to_all");
    assertThat(last.get("tokens").asInt()).isEqualTo(16);
    assertThat(last.get("needed_bytes").asDouble()).isEqualTo(last.get("moved_bytes").asDouble());
    assertThat(run(line.split(" "))).isZero();
    assertThat(out.toString())
        .contains(
            "2 ranks on cpu; 64 experts, 6 of each token, rows of 32",
            "not by peer: 2 ranks lie on [cpu], not on a GPU each",
            "     16 all_gather copies")
        .doesNotContain("WRONG", "parallel.collectives");
  }

  /** Frozen weights have no gradients; an adapter of rank 4 on one matrix of 2048² has few. */
  @Test
  void benchmarksTakeStepsOfAdapters() {
    String step = "--model deepseek-coder-1.3b --device meta --batch 1 --seq 256 --json ";
    String adapter = "--method lora --rank 4 --modules q_proj";
    assertThat(run(("bench memory " + step + adapter).split(" "))).isZero();
    assertThat(out.toString())
        .contains("\"method\":\"lora\",\"adapter\":{\"rank\":4,")
        .contains("\"gradients\":" + 4 * 24 * 4 * (2048 + 2048));
    assertThat(run(("bench train " + step + "--steps 1 " + adapter).split(" "))).isZero();
    assertThat(out.toString()).contains("\"gradients\":" + 4 * 24 * 4 * (2048 + 2048));
    assertThat(run(("bench train " + step + "--rank 4").split(" "))).isEqualTo(2);
    assertThat(err.toString()).contains("--rank with --method full");
    assertThat(run(("bench train " + step + "--method qlora --precision fp8").split(" ")))
        .isEqualTo(2);
    assertThat(err.toString()).contains("--method qlora with --precision fp8");
    assertThat(run(("bench memory " + step + "--method lora --offload optimizer").split(" ")))
        .isEqualTo(2);
    assertThat(err.toString()).contains("--method lora with --offload optimizer");
  }

  @Test
  void predictedMemorySaysOfWhat() {
    assertThat(
            run(
                "bench",
                "memory",
                "--model",
                "tiny-llama",
                "--device",
                "meta",
                "--batch",
                "1",
                "--seq",
                "256",
                "--json"))
        .isZero();
    assertThat(out.toString())
        .contains("\"model\":\"tiny-llama\"", "\"batch\":1", "\"seq\":256", "\"bf16\"")
        .contains("\"predicted_for\":\"cuda\"", "\"predicted_activations_by_layer\":{\"0\":");
  }

  @Test
  void aTraceThatCannotBeWrittenIsNoticedBeforeMeasuring(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [jdk:src], sequence_length: 64}
            training: {tokens_per_step: 128, steps: 3}
            device: cpu
            threads: 1
            """);
    assertThat(run("profile", file.toString(), "--trace", folder.toString())).isEqualTo(2);
    assertThat(err.toString()).contains("the trace " + folder + " is a folder");
    Path trace = folder.resolve("new").resolve("trace.json");
    assertThat(run("profile", file.toString(), "--steps", "1", "--trace", trace.toString()))
        .isZero();
    assertThat(out.toString()).contains("everything else", "the step:");
    assertThat(trace).exists();
  }

  /** Rates are measured once in a process, so both commands compare the step with the same. */
  @Test
  void benchmarkAndProfileOfOneStepHaveTheSameFloor(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [jdk:src], sequence_length: 64}
            training: {tokens_per_step: 128, micro_batch: 2, steps: 3, recompute: full}
            device: cpu
            threads: 1
            """);
    String trace = folder.resolve("trace.json").toString();
    assertThat(run("profile", file.toString(), "--steps", "1", "--trace", trace, "--json"))
        .isZero();
    JsonNode profile = printed();
    // After it: a floor above its part's time is measured again there, and holds for both.
    String step = "bench train --model tiny-llama --device cpu --batch 2 --seq 64 --precision fp32";
    assertThat(run((step + " --steps 1 --warm-up 0 --json").split(" "))).isZero();
    JsonNode benchmark = printed();
    assertThat(benchmark.get("roofline_utilisation").asDouble()).isPositive();
    assertThat(profile.get("roofline_utilisation").asDouble())
        .isPositive()
        .isCloseTo(
            profile.get("floor_ms").asDouble() / profile.get("step_ms").asDouble(), within(1e-9));
    assertThat(benchmark.get("floor_ms").asDouble())
        .isCloseTo(profile.get("floor_ms").asDouble(), within(1e-4));
    assertThat(profile.get("parts").isEmpty()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(ErrorCode.class)
  void failuresExitByTheirCode(ErrorCode code) {
    CommandLine commandLine = failingWith(new DuokaException(code, "it broke", "Mend it."));
    assertThat(Main.run(new String[] {"broken"}, commandLine)).isEqualTo(code.exitStatus());
    assertThat(err).hasToString("duoka: it broke. Mend it." + System.lineSeparator());
  }

  @Test
  void anyOtherExceptionIsCalledABug() {
    CommandLine commandLine = failingWith(new IllegalStateException("impossible"));
    assertThat(Main.run(new String[] {"broken"}, commandLine)).isEqualTo(1);
    assertThat(err.toString()).contains("internal error", "impossible", "please report it");
  }

  private JsonNode printed() {
    return Json.parse(out.toString().getBytes(UTF_8), "the output", ErrorCode.USAGE);
  }

  private int run(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Main.run(arguments, commandLine());
  }

  /** The program with a further command, {@code broken}. */
  private CommandLine failingWith(RuntimeException failure) {
    Runnable command =
        () -> {
          throw failure;
        };
    CommandLine commandLine = Main.commandLine();
    commandLine.addSubcommand(
        "broken", CommandLine.Model.CommandSpec.wrapWithoutInspection(command));
    commandLine.setExecutionExceptionHandler(commandLine.getExecutionExceptionHandler());
    commandLine.setErr(new PrintWriter(err, true));
    return commandLine;
  }

  private CommandLine commandLine() {
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return commandLine;
  }
}
