package dev.duoka.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.yaml.YamlParser;
import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.train.config.binding.Problems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class RunFileTests {
  static final String FULL =
      """
      model:
        preset: tiny-v3
        overrides: {num_hidden_layers: 4, rope_scaling: {type: yarn, factor: 40.0}, tag: '1e3'}
        mtp_weight: 0.1
        router: {bias_update_rate: 0.002, balance_loss: 1e-4}
      data:
        sources: [jdk:src, "corpus/**/*.txt"]
        format: jsonl
        field: body
        tokenizer: tokenizers/v3
        sequence_length: 256
        validation_fraction: 0.02
        seed: 7
        cache: /tmp/cache
        on_bad_text: skip
      training:
        tokens_per_step: 8_192
        micro_batch: 8
        tokens: 2e6
        precision: fp16
        recompute: selective
        seed: 99
        deterministic: true
      optimizer: {learning_rate: 1e-3, beta1: 0.8, beta2: .99, eps: 1e-10, weight_decay: 0, clip_norm: 2}
      schedule: {kind: multi_step, warmup_steps: 20}
      loss_scale: {initial: 1024, growth_factor: 4, backoff_factor: 0.25, growth_interval: 100}
      parallel: {data: 2, zero: 1}
      launch: {ranks_per_process: 1, timeout: 30}
      device: cuda
      threads: 3
      checkpoint: {every_steps: 50, keep: 2, keep_every: 100, final: false}
      validation: {every_steps: 25, sequences: 16}
      logging: {every_steps: 5, gradient_range_every: 0}
      run_dir: runs/full
      generate_sample: {prompt: "public ", tokens: 20, temperature: 0}
      """;

  @Test
  void variablesOfLibrariesAreTextAndOthersAreRefused() {
    String file =
        """
        model: {preset: tiny-v3}
        data: {sources: [jdk:src], sequence_length: 256}
        training: {tokens_per_step: 8192, steps: 300}
        environment: {%s}
        """;
    RunConfig config =
        RunFile.parse("run.yaml", file.formatted("NCCL_MIN_CTAS: 8, NCCL_ALGO: Ring"), List.of());
    assertThat(EnvironmentVariables.of(config))
        .containsEntry("NCCL_MIN_CTAS", "8")
        .containsEntry("NCCL_ALGO", "Ring");
    assertThat(RunFile.parse("again.yaml", RunFile.write(config), List.of())).isEqualTo(config);
    assertThatThrownBy(() -> RunFile.parse("run.yaml", file.formatted("PATH: /bin"), List.of()))
        .hasMessageContaining("environment.PATH is none of the variables");
    assertThatThrownBy(
            () -> RunFile.parse("run.yaml", file.formatted("NCCL_ALGO: true"), List.of()))
        .hasMessageContaining("environment.NCCL_ALGO wants a text or a whole number");
  }

  @Test
  void basesInFourBitsAreReadAndMultiplyInNoFewerThanSixteen() {
    String file =
        """
        model: {preset: tiny-v3}
        adapter: {rank: 2, base: nf4%s}
        data: {sources: [jdk:src], sequence_length: 256}
        training: {tokens_per_step: 8192, steps: 300, precision: %s}
        """;
    RunConfig doubled = RunFile.parse("run.yaml", file.formatted("", "bf16"), List.of());
    assertThat(doubled.adapter().orElseThrow().config().baseForm()).isEqualTo(BaseForm.NF4);
    assertThat(doubled.layout().method()).isEqualTo(Method.QLORA);
    RunConfig single =
        RunFile.parse(
            "run.yaml", file.formatted(", double_quantization: false", "fp32"), List.of());
    assertThat(single.adapter().orElseThrow().config().baseForm()).isEqualTo(BaseForm.NF4_SINGLE);
    assertThat(RunFile.parse("again.yaml", RunFile.write(single), List.of())).isEqualTo(single);
    assertThatThrownBy(() -> RunFile.parse("run.yaml", file.formatted("", "fp8"), List.of()))
        .hasMessageContaining("adapter.base is nf4, whose weights multiply in 16 bits or more");
  }

  /** As a run's folder keeps it, with every default said. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "rank: 4",
        "path: x",
        "path: x, base: nf4",
        "modules_matching: '.*q_proj'",
        "modules: [q_proj], exclude: [k_proj]"
      })
  void anAdapterThatWasWrittenIsReadAgain(String adapter) {
    String file =
        """
        model: {preset: tiny-v3}
        adapter: {%s}
        data: {sources: [jdk:src], sequence_length: 256}
        training: {tokens_per_step: 8192, steps: 300}
        """;
    RunConfig config = RunFile.parse("run.yaml", file.formatted(adapter), List.of());
    assertThat(RunFile.parse("again.yaml", RunFile.write(config), List.of())).isEqualTo(config);
  }

  @Test
  void readsEveryField() {
    RunConfig config = RunFile.parse("run.yaml", FULL, List.of());

    assertThat(config.model().preset()).hasValue("tiny-v3");
    assertThat(config.model().overrides())
        .isEqualTo(
            Map.of(
                "num_hidden_layers",
                4L,
                "rope_scaling",
                Map.of("type", "yarn", "factor", 40.0),
                "tag",
                "1e3"));
    assertThat(config.model().router())
        .isEqualTo(new RouterSettings(0.002, OptionalDouble.of(1e-4)));
    assertThat(config.data().locations()).containsExactly("jdk:src", "corpus/**/*.txt");
    assertThat(config.data().format()).isEqualTo(DataSettings.Format.JSONL);
    assertThat(config.data().cache()).hasValue(Path.of("/tmp/cache"));
    assertThat(config.training().tokensPerStep()).isEqualTo(8192);
    assertThat(config.training().length()).isEqualTo(new TrainingLength.Tokens(2_000_000));
    assertThat(config.optimizer())
        .isEqualTo(
            new OptimizerSettings(
                1e-3, 0.8, 0.99, 1e-10, 0, OptionalDouble.of(2), Map.of(), 1, true));
    assertThat(config.lossScale()).hasValue(new LossScaleSettings(1024, 4, 0.25, 100));
    assertThat(config.launch())
        .isEqualTo(new LaunchSettings(new RanksPerProcess(OptionalInt.of(1)), 30));
    assertThat(config.device()).isEqualTo(DeviceChoice.parse("cuda"));
    assertThat(config.checkpoint()).isEqualTo(new CheckpointSettings(50, 2, 100, false));
    assertThat(config.generateSample()).hasValue(new SampleSettings("public ", 20, 0));
  }

  private static String withData(String data, String length) {
    return "model: {preset: tiny-v3}\ndata: {sequence_length: 256, "
        + data
        + "}\ntraining: {tokens_per_step: 8192, "
        + length
        + "}\n";
  }

  @Test
  void sourcesMayBeSections() {
    RunConfig config =
        RunFile.parse(
            "run.yaml",
            withData(
                "sources: [{path: a/code.jsonl.gz, weight: 0.3}, {path: ~/math, name: maths,"
                    + " weight: 2, field: body, format: jsonl}], validation_sources: [held.txt]",
                "steps: 3"),
            List.of());
    assertThat(config.data().sources())
        .extracting(SourceSettings::shownName)
        .containsExactly("code", "maths");
    assertThat(config.data().sources().get(1).path()).doesNotContain("~");
    assertThat(config.data().sources().get(0).weight()).hasValue(0.3);
    assertThat(config.data().validationSources()).containsExactly(SourceSettings.parse("held.txt"));
    assertThat(config.data().heldOut()).isZero();
    assertThat(RunFile.parse("again.yaml", RunFile.write(config), List.of())).isEqualTo(config);
    // What says a place alone is written as it was.
    assertThat(RunFile.write(config)).contains("- held.txt");
    RunConfig plain =
        RunFile.parse("run.yaml", withData("sources: [a.txt]", "steps: 3"), List.of());
    assertThat(RunFile.write(plain)).contains("sources:\n  - a.txt\n").doesNotContain(" weight:");
    assertThat(plain.data().heldOut()).isEqualTo(0.01);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[{path: a, weight: 1}, b]|steps: 3|1 of 2 sources have a weight",
        "[{path: a, weight: 1}, {path: b, weight: 2}]|epochs: 1|training.epochs counts passes",
        "[{path: a, weight: 1, epochs: 2}]|steps: 3|has both a weight and epochs",
        "[{path: x/a.txt, epochs: 2}, {path: y/a.jsonl}]|steps: 3|two sources are called a",
        "[{path: a, weight: 0}]|steps: 3|data.sources[0].weight wants a number",
        "[{path: a, wieght: 2}]|steps: 3|Did you mean 'weight'",
        "[{weight: 2}]|steps: 3|data.sources[0].path is missing",
        "[[a]]|steps: 3|data.sources[0] wants a text, or a section with the fields path, name",
        "[a], validation_sources: [{path: b, weight: 2}]|steps: 3|is for validation alone",
        "[a], on_bad_text: fail, on_bad_record: skip|steps: 3|contradict each other"
      })
  void sourcesThatMakeNoSenseAreRefused(String sources, String length, String problem) {
    assertThatThrownBy(
            () -> RunFile.parse("run.yaml", withData("sources: " + sources, length), List.of()))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void theOlderNameForBadRecordsHolds() {
    RunConfig skips =
        RunFile.parse(
            "run.yaml", withData("sources: [a], on_bad_text: skip", "steps: 3"), List.of());
    assertThat(skips.data().badRecords()).isEqualTo(DataSettings.OnBadRecord.SKIP);
    assertThat(RunFile.parse("again.yaml", RunFile.write(skips), List.of())).isEqualTo(skips);
  }

  @Test
  void fillsInWhatFollowsFromOtherFields() {
    RunConfig config = RunFile.parse("run.yaml", RunFileDocs.EXAMPLE, List.of());

    assertThat(config.training().microBatch()).isEqualTo(OptionalInt.of(32));
    assertThat(config.data().field()).hasValue("text");
    assertThat(config.data().seed()).isEqualTo(OptionalLong.of(1234));
    assertThat(config.optimizer().clipNorm()).isEqualTo(OptionalDouble.of(1.0));
    assertThat(config.schedule().finalFraction()).isEqualTo(OptionalDouble.of(0.1));
    assertThat(config.lossScale()).isEmpty();
    assertThat(config.runDir()).isEmpty();
    assertThat(config.threads()).isEmpty();
  }

  @Test
  void fp16ClipsAtHalfAndScalesTheLossAsGradScalerDoes() {
    RunConfig config =
        RunFile.parse("run.yaml", RunFileDocs.EXAMPLE, List.of("training.precision=fp16"));

    assertThat(config.optimizer().clipNorm()).isEqualTo(OptionalDouble.of(0.5));
    assertThat(config.lossScale()).hasValue(new LossScaleSettings(65536, 2, 0.5, 2000));
  }

  @Test
  void aWrittenConfigurationReadsBackEqual() {
    for (String text : List.of(FULL, RunFileDocs.EXAMPLE)) {
      RunConfig config = RunFile.parse("run.yaml", text, List.of());
      String written = RunFile.write(config);
      assertThat(RunFile.parse("snapshot.yaml", written, List.of())).isEqualTo(config);
    }
  }

  @Test
  void changesAreListedByKey() {
    RunConfig before = RunFile.parse("run.yaml", FULL, List.of());
    RunConfig after =
        RunFile.parse(
            "run.yaml",
            FULL,
            List.of("training.micro_batch=4", "run_dir=", "model.overrides.num_hidden_layers=5"));

    assertThat(RunFile.changes(before, after))
        .map(Object::toString)
        .containsExactly(
            "model.overrides.num_hidden_layers: 4 → 5",
            "run_dir: runs/full → not set",
            "training.micro_batch: 8 → 4");
    assertThat(RunFile.changes(before, before)).isEmpty();
  }

  @Test
  void namesUnknownFieldsWithTheNearestValidName() {
    assertThatThrownBy(
            () ->
                RunFile.parse(
                    "run.yaml",
                    RunFileDocs.EXAMPLE + "optimizer:\n  learning_rat: 1e-3\n",
                    List.of()))
        .hasMessage(
            "run.yaml:9:3: unknown field 'learning_rat' in optimizer."
                + " Did you mean 'learning_rate'?")
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG));
  }

  @Test
  void namesTheSectionOfAMisplacedField() {
    assertThatThrownBy(
            () -> RunFile.parse("run.yaml", RunFileDocs.EXAMPLE + "precision: bf16\n", List.of()))
        .hasMessage("run.yaml:8:1: unknown field 'precision'. It belongs in training.");
  }

  @Test
  void saysWhatFieldsOfOtherProgramsAreHere() {
    assertThat(problem("model.load_in_4bit=true"))
        .isEqualTo(
            "--set model.load_in_4bit: unknown field 'load_in_4bit' in model."
                + " A base in 4 bits is adapter: {base: nf4}, made while the weights load.");
    assertThat(problem("quantization=nf4")).contains("adapter: {base: nf4}");
    assertThat(problem("adapter.bnb_4bit_quant_type=fp4")).contains("It has no other type.");
    assertThat(problem("adapter.load_in_8bit=true"))
        .contains("No base is kept in 8 bits", "adapter: {base: dense}");
    assertThat(problem("adapter.bnb_4bit_use_double_quant=false"))
        .contains("It is adapter.double_quantization.");
  }

  @Test
  void namesOverridesByTheirKey() {
    assertThat(problem("optimizer.lerning_rate=1e-3"))
        .isEqualTo(
            "--set optimizer.lerning_rate: unknown field 'lerning_rate' in optimizer."
                + " Did you mean 'learning_rate'?");
    assertThat(problem("training.steps")).startsWith("--set training.steps: not of the form");
    assertThat(problem("training.steps=[")).startsWith("--set training.steps: malformed YAML");
    assertThat(problem("training.steps.x=1"))
        .isEqualTo("--set training.steps.x: 'steps' has a value and no fields");
  }

  @Test
  void aNullOverrideUnsetsAField() {
    RunConfig config =
        RunFile.parse(
            "run.yaml", RunFileDocs.EXAMPLE, List.of("training.steps=null", "training.epochs=1.5"));
    assertThat(config.training().length()).isEqualTo(new TrainingLength.Epochs(1.5));
  }

  /** On a machine without a GPU {@code auto} is a CPU too, but the file may be for another. */
  @Test
  void statesLeaveNoCpu() {
    assertThat(problem("device=cpu", "memory.offload=optimizer"))
        .contains(
            "memory.offload is optimizer, but device is cpu: states are in host memory already,"
                + " and would take buffers beside them. Set it to none.");
    RunConfig auto =
        RunFile.parse(
            "run.yaml", RunFileDocs.EXAMPLE, List.of("device=auto", "memory.offload=optimizer"));
    assertThat(auto.memory().offload()).isEqualTo(Offload.OPTIMIZER);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "training.steps=ten | training.steps wants a whole number from 1 to 1000000000, got 'ten'",
        "training.steps='10' | training.steps wants a whole number from 1 to 1000000000, got the"
            + " text \"10\"",
        "training.steps=1.5 | training.steps wants a whole number from 1 to 1000000000, got '1.5'",
        "training.steps=64k | training.steps wants a whole number from 1 to 1000000000, got '64k'",
        "training.steps=0 | training.steps wants a whole number from 1 to 1000000000, got '0'",
        "data.sequence_length=3e9 | data.sequence_length wants a whole number from 2 to 1048576,"
            + " got '3e9'",
        "optimizer.beta1=1 | optimizer.beta1 wants a number in [0, 1), got '1'",
        "optimizer.eps=nan | optimizer.eps wants a number in (0, 1], got 'nan'",
        "optimizer.weight_decay=[1] | optimizer.weight_decay wants a single value, got a list",
        "training.deterministic=yes | training.deterministic wants true or false, got 'yes'",
        "training.precision=tf32 | training.precision wants one of fp32, bf16, fp16, fp8, got"
            + " 'tf32'. Did you mean 'fp32'?",
        "training.precision=fp23 | training.precision wants one of fp32, bf16, fp16, fp8, got"
            + " 'fp23'. Did you mean 'fp32'?",
        "device=gpu | device wants one of auto, cpu, cuda, a GPU such as cuda:0, or one for each"
            + " rank such as cuda:0,2,1,3, got 'gpu'",
        "parallel.tensor=abc | parallel.tensor wants a whole number from 1 to 64, got 'abc'",
        "parallel.dispatcher=all_to_all | parallel.dispatcher is all_to_all, but parallel.expert"
            + " is 1: no expert is on another rank. Set parallel.expert, or remove it.",
        "parallel.blocks_per_bucket=2 | parallel.blocks_per_bucket is 2, but no two ranks hold the"
            + " same weights: no bucket is exchanged. Set parallel.data, or remove it.",
        "parallel.blocks_per_bucket=0 | parallel.blocks_per_bucket wants a whole number from 1 to"
            + " 1024, got '0'",
        "memory.offload_update=host | memory.offload_update is host, but memory.offload is none: no"
            + " states are in host memory. Set memory.offload to optimizer, or remove it.",
        "memory.offload_fraction=0.5 | memory.offload_fraction is 0.5, but no states are in host"
            + " memory that the device updates. Set memory.offload to optimizer and"
            + " memory.offload_update to device, or remove it.",
        "memory.offload_fraction=0 | memory.offload_fraction wants a number in (0, 1], got '0'",
        "parallel.stages_per_rank=2 | parallel.stages_per_rank 2 is for a pipeline with the"
            + " schedule interleaved, but parallel.pipeline is 1 and parallel.schedule is 1f1b."
            + " Set parallel.pipeline, or remove it.",
        "device='cuda:0,1' | device cuda:0,1 names 2 GPUs, but the run has 1 rank. Name one GPU"
            + " for each rank of a machine, in their order, or set device: cuda.",
        "launch.ranks_per_process=0 | launch.ranks_per_process wants auto, or a number of ranks"
            + " from 1 on, got '0'",
        "launch.timeout=0 | launch.timeout wants a whole number from 1 to 86400, got '0'",
        "data.sources=jdk:src | data.sources wants a list such as [a, b], got 'jdk:src'",
        "parallel=2 | parallel wants a section with the fields data, tensor, pipeline, expert,"
            + " context, zero, replicate, blocks_per_bucket, schedule, stages_per_rank, stages,"
            + " collectives, dispatcher, empty_micro_batches, got '2'",
        "model.overrides=4 | model.overrides wants fields and values such as {a: 1}, got '4'",
      })
  void saysWhatIsWantedAndWhatItGot(String override, String message) {
    String key = override.substring(0, override.indexOf('='));
    assertThat(problem(override)).isEqualTo("--set " + key + ": " + message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "model.path=folder | model.preset and model.path contradict each other",
        "model.preset=null | model has none of preset, path. Set exactly one of them.",
        "model.load_weights=true | model.load_weights needs a folder to load from",
        "data.sources=[] | data.sources is empty",
        "training.tokens=1e6 | training.steps and training.tokens contradict each other",
        "training.steps=null | training has none of steps, tokens, epochs",
        "loss_scale.initial=1 | loss_scale is for fp16 only, but training.precision is fp32",
        "launch.ranks_per_process=2 | launch.ranks_per_process 2 does not divide the run's 1 rank,"
            + " so no number of processes holds them. Nearest valid: 1.",
        "parallel.schedule=zero_bubble | is an order of the stages of a pipeline, but"
            + " parallel.pipeline is 1. Set parallel.pipeline, or remove it.",
        "schedule={kind: constant, final_fraction: 0} | is for schedules that fall to it, and"
            + " constant does not",
        "schedule.decay_steps=5 | is for the warmup_stable_decay schedule only",
        "schedule={kind: linear, decay_shape: sqrt} | schedule.decay_shape is for the"
            + " warmup_stable_decay schedule only",
        "schedule={kind: warmup_stable_decay, decay_steps: 5, decay_fraction: 0.1} |"
            + " schedule.decay_fraction and schedule.decay_steps contradict each other",
        "schedule={kind: warmup_stable_decay, decay_steps: 250, warmup_steps: 51} | a warm-up of"
            + " 51 steps and a decay of 250 do not fit into the run's 300 steps",
        "schedule={kind: warmup_stable_decay, decay_shape: root} | wants one of linear, cosine,"
            + " sqrt",
        "adapter={double_quantization: false} | adapter.double_quantization says how the scales of"
            + " 4-bit weights are kept, but adapter.base is dense",
        "adapter={base: nf5} | adapter.base wants one of dense, nf4, got 'nf5'",
        "schedule.warmup_steps=300 | leaves nothing of the run's 300 steps. Nearest valid: 299.",
        "checkpoint.keep_every=250 | Nearest valid: 200 or 300.",
        "optimizer.rates={embed_tokens: 0} | embed_tokens' has the factor 0: what is not trained"
            + " belongs in training.freeze",
        "optimizer.rates={embed_tokens: -1} | embed_tokens' has the factor -1, no number above 0",
        "optimizer.rates={embed_tokens: fast} | embed_tokens' has the factor fast, no number",
        "optimizer.rates={'layers[x]': 1} | optimizer.rates: 'layers[x]' is no name",
        "training.freeze=['layers[0'] | training.freeze: 'layers[0' is no name",
        "training.micro_batch=5 | Nearest valid: 4 or 8.",
        "training.tokens_per_step=8000 | Nearest valid: 7936 or 8192.",
        "data={sources: [a], format: jsonl, chat_template: x} | but data.format is jsonl",
        "data={sources: [a], chat_template: x} | is for chat data only, but data.format is auto",
        "data={sources: [a], format: text, field: x} | but data.format is text",
      })
  void refusesContradictions(String override, String message) {
    assertThat(problem(override)).contains(message);
  }

  @Test
  void ranksThatProcessesCannotShareNameTheNearestNumber() {
    String[] four = {"parallel.data=4", "launch.ranks_per_process=3"};
    assertThatThrownBy(() -> RunFile.parse("r", RunFileDocs.EXAMPLE, List.of(four)))
        .hasMessageContaining("launch.ranks_per_process 3 does not divide the run's 4 ranks")
        .hasMessageContaining("Nearest valid: 2.");
  }

  @Test
  void automaticDataRanksCountThoseOfAllProcesses() {
    Problems problems = new Problems("r");
    assertThat(automaticRanks("parallel: {data: auto, tensor: 2}", problems)).isEqualTo("1");
    String file = "parallel: {data: auto, tensor: 2}\nlaunch: {ranks_per_process: 4}";
    assertThat(automaticRanks(file, new Problems("r"))).isEqualTo("6");
    assertThatThrownBy(problems::throwIfAny)
        .hasMessageContaining("parallel.data is auto, which counts the GPUs of one machine, but")
        .hasMessageContaining("the run has 3 processes. Write down the number");
  }

  private static String automaticRanks(String sections, Problems problems) {
    Map<String, String> environment =
        Map.of("DUOKA_RANK", "0", "DUOKA_WORLD_SIZE", "3", "DUOKA_RENDEZVOUS", "a:1");
    YamlTree file =
        YamlParser.document("r", RunFileDocs.EXAMPLE + sections, problems).orElseThrow();
    YamlTree.Mapping resolved =
        AutoDataRanks.resolved((YamlTree.Mapping) file, environment, () -> 8, problems);
    YamlTree.Mapping parallel =
        (YamlTree.Mapping) Objects.requireNonNull(resolved.entries().get("parallel")).value();
    return ((YamlTree.Scalar) Objects.requireNonNull(parallel.entries().get("data")).value())
        .text();
  }

  @Test
  void letsSeveralRanksShareOneGpu() {
    assertThat(RunFile.parse("r", RunFileDocs.EXAMPLE, List.of("device=cuda:1", "parallel.data=2")))
        .extracting(config -> config.device().toString())
        .isEqualTo("cuda:1");
    assertThat(RunFile.parse("r", RunFileDocs.EXAMPLE, List.of("parallel={data: 1, zero: 1}")))
        .extracting(config -> config.parallel().zero())
        .isEqualTo(1);
  }

  @Test
  void listsAllProblemsAtOnceUpToTwenty() {
    String unknown =
        IntStream.range(0, 30)
            .mapToObj(i -> "zz%02d: 1".formatted(i))
            .collect(Collectors.joining("\n"));
    String message = problemsOf(RunFileDocs.EXAMPLE + unknown);
    assertThat(message.lines()).hasSize(22);
    assertThat(message)
        .startsWith("30 problems in run.yaml:\n  run.yaml:8:1: unknown field 'zz00'")
        .endsWith("and 10 more");
  }

  @Test
  void namesRequiredFieldsThatAreMissing() {
    assertThat(problemsOf(""))
        .contains(
            "4 problems",
            "data.sources is missing",
            "training.tokens_per_step is missing",
            "model has none of preset, path",
            "training has none of steps, tokens, epochs");
    assertThat(problemsOf("model: {preset: a}\ntraining: {steps: 1}"))
        .contains("2 problems", "data.sources is missing", "training.tokens_per_step is missing");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'a: [1'                | run.yaml:1:6: malformed YAML",
        "'a: 1\n\tb: 2'         | malformed YAML",
        "'- a'                  | run.yaml:1:1: a run file is made of",
        "'a: &x 1'              | run.yaml:1:4: anchors and aliases are not supported",
        "'a: !!int 1'           | run.yaml:1:4: the tag 'tag:yaml.org,2002:int' is not supported",
        "'[a]: 1'               | run.yaml:1:1: the name of a field must be plain text",
        "'---\na: 1\n---\nb: 1' | run.yaml:3:1: a second document",
        "'model: {}\nmodel: {}' | run.yaml:2:1: field 'model' is given twice; the first is at"
            + " run.yaml:1:1",
      })
  void refusesMalformedYaml(String text, String message) {
    assertThat(problemsOf(text)).contains(message);
  }

  @Test
  void refusesDeepNesting() {
    assertThat(problemsOf("model: " + "[".repeat(100_000))).contains("nested more than 32 deep");
  }

  @Test
  void refusesMissingAndUndecodableFiles(@TempDir Path folder) throws IOException {
    assertThatThrownBy(() -> RunFile.read(folder.resolve("none.yaml"), List.of()))
        .hasMessageContaining("there is no run file");
    Path bad = Files.write(folder.resolve("bad.yaml"), new byte[] {'a', ':', (byte) 0xff});
    assertThatThrownBy(() -> RunFile.read(bad, List.of()))
        .hasMessageContaining("is not UTF-8 text: byte 2 is malformed");
    assertThatThrownBy(() -> RunFile.read(folder, List.of())).isInstanceOf(DuokaException.class);
  }

  private static String problem(String... overrides) {
    return message(RunFileDocs.EXAMPLE, overrides);
  }

  private static String problemsOf(String text) {
    return message(text);
  }

  private static String message(String text, String... overrides) {
    Throwable refused = catchThrowable(() -> RunFile.parse("run.yaml", text, List.of(overrides)));
    assertThat(refused).isInstanceOf(DuokaException.class);
    return String.valueOf(refused.getMessage());
  }
}
