package dev.duoka.verify.selftest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Operation;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Precision;
import dev.duoka.parallel.function.SpreadExperts;
import dev.duoka.parallel.proof.FaultyCommunicator;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.step.ParallelChecks;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The self-test passes where a mesh is right, and names what is not. */
class SelfTestTests {
  private static RunConfig run(String preset, String parallel, String training) {
    return RunFile.parse(
        "run.yaml",
        """
        model: {preset: %s}
        data: {sources: [nowhere.txt], tokenizer: bytes, sequence_length: 256}
        training: {tokens_per_step: 73728, micro_batch: 4, steps: 4, %s}
        optimizer: {learning_rate: 1e-3}
        parallel: {%s}
        device: cpu
        """
            .formatted(preset, training, parallel),
        List.of());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "deepseek-llm-7b | data: 2, zero: 3 | precision: bf16, recompute: full",
        "deepseek-coder-1.3b | tensor: 2, pipeline: 2, schedule: zero_bubble | precision: fp32",
        "deepseek-v2-lite | data: 2, tensor: 2, expert: 4, zero: 2 | precision: bf16",
        "deepseek-v3 | data: 2, context: 2, expert: 2, zero: 1 | precision: fp16",
        "deepseek-v3 | pipeline: 2, schedule: interleaved | precision: bf16, recompute: selective",
        "tiny-llama | data: 1 | precision: fp32",
      })
  void aRightMeshHolds(String preset, String parallel, String training) {
    SelfTestReport report = SelfTest.of(run(preset, parallel, training));
    assertThat(report.comparisons())
        .allSatisfy(it -> assertThat(it.differences()).as(it.precision().toString()).isEmpty());
    assertThat(report.holds()).isTrue();
    assertThat(report.comparisons().getFirst().precision()).isEqualTo(Precision.FP32);
    assertThat(report.comparisons().getFirst().tensors()).isGreaterThan(20);
    assertThat(report.comparisons()).hasSize(training.contains("fp32") ? 1 : 2);
  }

  /** The one rank that all is compared with keeps everything where it computes. */
  @Test
  void aRunWithStatesInHostMemoryHolds() {
    RunConfig run =
        RunFile.parse(
            "run.yaml",
            RunFile.write(run("deepseek-coder-1.3b", "data: 2, zero: 1", "precision: fp32")),
            List.of("device=auto", "memory={offload: optimizer, offload_fraction: 0.5}"));
    assertThat(SelfTest.of(run).holds()).isTrue();
  }

  /** Weights that are rounded by chance: two of a norm's 64 are neighbours of one rank's here. */
  @Test
  void aRunWithoutMasterWeightsHolds() {
    String mesh = "tensor: 2, pipeline: 4, schedule: interleaved, stages_per_rank: 4";
    SelfTestReport report = SelfTest.of(withoutMasters("deepseek-llm-67b", mesh));
    assertThat(report.comparisons())
        .hasSize(2)
        .allSatisfy(it -> assertThat(it.differences()).as(it.precision().toString()).isEmpty());
    assertThat(report.comparisons().getLast().forked()).isTrue();
  }

  @Test
  void aFaultIsSeenWithoutMasterWeights() {
    SelfTestReport.Comparison comparison =
        SelfTest.inItsPrecision(
            withoutMasters("deepseek-coder-1.3b", "data: 2"),
            world ->
                new FaultyCommunicator(
                    world,
                    "world",
                    Operation.ALL_REDUCE,
                    "model.layers.1",
                    FaultyCommunicator.Fault.FORGOTTEN));
    assertThat(comparison.differences())
        .anySatisfy(it -> assertThat(it.name()).startsWith("gradient of model.layers.1"));
  }

  private static RunConfig withoutMasters(String preset, String parallel) {
    return RunFile.parse(
        "run.yaml",
        RunFile.write(run(preset, parallel, "precision: bf16")),
        List.of("memory={moments: 8bit, master_weights: false}", "training.seed=1234"));
  }

  /** What is compared is the adapter, beside a base in the run's form. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "deepseek-coder-33b | data: 2, zero: 3 | rank: 4, dropout: 0.1, base: nf4",
        "deepseek-llm-7b | tensor: 2, pipeline: 2 | rank: 8, dora: true, base: dense",
        "deepseek-v2-lite | data: 2, expert: 2, zero: 3 | rank: 8, experts: [down_proj], base: nf4",
        "deepseek-llm-7b | tensor: 2 | rank: 4, modules: [layers.29.mlp.up_proj], base: nf4",
      })
  void aRightMeshHoldsWithAdapters(String preset, String parallel, String adapter) {
    RunConfig run =
        RunFile.parse(
            "run.yaml",
            RunFile.write(run(preset, parallel, "precision: bf16")),
            List.of("adapter={" + adapter + "}"));
    ModelConfig small = new SmallLikeness(run, ModelSource.config(run)).smallModel();
    assertThat(Objects.requireNonNull(small.adapter()).baseForm().isInFourBits())
        .isEqualTo(adapter.contains("nf4"));
    SelfTestReport report = SelfTest.of(run);
    assertThat(report.comparisons())
        .hasSize(2)
        .allSatisfy(it -> assertThat(it.differences()).as(it.precision().toString()).isEmpty());
  }

  @ParameterizedTest
  @CsvSource({
    "deepseek-v2-lite, 'data: 2, tensor: 2, expert: 4', expert, REDUCE_SCATTER, gradient of",
    "deepseek-v2-lite, 'data: 4, expert: 2, dispatcher: all_to_all', expert, ALL_TO_ALL, gradient"
        + " of",
    "deepseek-v2-lite, 'data: 2, tensor: 2, zero: 1', data, REDUCE_SCATTER, gradient of",
    "deepseek-v2-lite, 'data: 2, tensor: 2, zero: 1', tensor, ALL_GATHER, gradient of",
    "deepseek-coder-1.3b, 'data: 2, zero: 1', world, ALL_GATHER, norm of",
    "deepseek-coder-1.3b, 'data: 2, zero: 1', world, ALL_REDUCE, norm of",
    "deepseek-coder-1.3b, 'context: 2', world, SEND, gradient of",
    "deepseek-v3, 'data: 2, expert: 2', world, ALL_REDUCE, gradient of",
  })
  void aForgottenExchangeIsNamed(
      String preset, String parallel, String group, Operation operation, String name) {
    SelfTestReport report =
        SelfTest.of(
            run(preset, parallel, "precision: bf16"),
            world -> new FaultyCommunicator(world, group, operation));
    assertThat(report.holds()).isFalse();
    assertThat(report.comparisons()).as("nothing follows what does not hold").hasSize(1);
    assertThat(report.comparisons().getFirst().differences())
        .isNotEmpty()
        .allSatisfy(it -> assertThat(it.relative()).isGreaterThan(it.limit()))
        .anySatisfy(it -> assertThat(it.name()).startsWith(name));
  }

  /** In 16 bits, where fp32 says nothing: one sum of one block's gradients, and a wrong norm. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-coder-1.3b, data: 2, ALL_REDUCE, model.layers.1, FORGOTTEN, bf16, gradient of model"
        + ".layers.1",
    "deepseek-coder-1.3b, data: 2, ALL_REDUCE, model.norm, FORGOTTEN, fp16, gradient of model.norm",
    "deepseek-llm-7b, 'data: 2, zero: 2', REDUCE_SCATTER, model.layers.1, FORGOTTEN, bf16,"
        + " gradient of model.layers.1",
    "deepseek-v2-lite, 'data: 2, expert: 2', ALL_REDUCE, model.layers.1, FORGOTTEN, bf16,"
        + " gradient of model.layers.1",
    "deepseek-coder-1.3b, data: 2, ALL_REDUCE, model.layers.1, FORGOTTEN, fp8, gradient of model"
        + ".layers.1",
    "deepseek-coder-1.3b, 'data: 2, zero: 1', ALL_REDUCE, the norm, TWICE, bf16, norm of step 0",
    "deepseek-v3, 'data: 2, zero: 1', ALL_REDUCE, the norm, TWICE, bf16, norm of step 0",
  })
  void aFaultIsSeenInFewBitsToo(
      String preset,
      String parallel,
      Operation operation,
      String purpose,
      FaultyCommunicator.Fault fault,
      String precision,
      String name) {
    SelfTestReport.Comparison comparison =
        SelfTest.inItsPrecision(
            run(preset, parallel, "precision: " + precision),
            world -> new FaultyCommunicator(world, "world", operation, purpose, fault));
    assertThat(comparison.differences())
        .isNotEmpty()
        .allSatisfy(it -> assertThat(it.relative()).isGreaterThan(it.limit()))
        .anySatisfy(it -> assertThat(it.name()).startsWith(name));
  }

  /** A likeness of each preset, over every axis that it can have, in the bits it is trained in. */
  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 'data: 2, tensor: 2'",
    "deepseek-llm-67b, 'tensor: 4, pipeline: 2'",
    "deepseek-moe-16b, 'tensor: 2, data: 2, expert: 4'",
    "deepseek-coder-1.3b, 'context: 2, tensor: 2, zero: 3'",
    "deepseek-coder-6.7b, 'data: 2, context: 2, zero: 2'",
    "deepseek-coder-33b, 'tensor: 8'",
    "deepseek-v2-lite, 'data: 4, expert: 2, zero: 1'",
    "deepseek-v2, 'pipeline: 2, tensor: 2, expert: 2'",
    "deepseek-v3, 'data: 2, tensor: 2, expert: 4'",
    "tiny-llama, 'tensor: 2'",
    "tiny-moe, 'data: 2, expert: 2'",
    "tiny-v2, 'tensor: 2'",
    "tiny-v3, 'data: 2, pipeline: 2'",
  })
  void everyPresetHoldsInSixteenBits(String preset, String parallel) {
    assertThat(
            SelfTest.inItsPrecision(
                    run(preset, parallel, "precision: bf16"), UnaryOperator.identity())
                .differences())
        .isEmpty();
  }

  @Test
  void saysWhatWasExchangedByWhat() {
    SelfTestReport report = SelfTest.of(run("tiny-llama", "data: 2", "precision: fp32"));
    assertThat(report.exchanges())
        .anySatisfy(
            it -> {
              assertThat(it.operation()).isEqualTo("all-reduce");
              assertThat(it.transport()).isEqualTo("copies");
              assertThat(it.calls()).isPositive();
              assertThat(it.bytes()).isPositive();
            });
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> SelfTest.of(run("deepseek-v2-lite", "tensor: 3", "precision: bf16")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("16 heads do not divide");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "deepseek-llm-67b | tensor: 8, pipeline: 2 | precision: bf16",
        "deepseek-llm-67b | tensor: 16 | precision: bf16",
        "deepseek-v3 | pipeline: 8, data: 2, expert: 2 | precision: fp8",
        "deepseek-v2 | data: 8, expert: 8, context: 2 | precision: bf16",
        "deepseek-v2-lite | pipeline: 9, schedule: interleaved, stages_per_rank: 3 | precision:"
            + " bf16",
        "deepseek-moe-16b | tensor: 4, data: 2, expert: 8 | precision: fp16",
      })
  void keepsTheKindOfAModelAndAdmitsItsMesh(String preset, String parallel, String training) {
    RunConfig run = run(preset, parallel, training);
    ModelConfig large = ModelSource.config(run.model());
    SmallLikeness likeness = new SmallLikeness(run, large);
    ModelConfig small = likeness.smallModel();
    RunConfig tested = likeness.onItsMesh(run.training().precision());
    assertThat(
            ParallelChecks.problems(
                small, tested.parallel(), tested.layout(), tested.data().sequenceLength()))
        .isEmpty();
    assertThat(tested.parallel().ranks()).isEqualTo(run.parallel().ranks());
    assertThat(small.architecture()).isEqualTo(large.architecture());
    assertThat(small.tieEmbeddings()).isEqualTo(large.tieEmbeddings());
    assertThat(small.attention().getClass()).isEqualTo(large.attention().getClass());
    if (large.attention() instanceof AttentionConfig.GroupedQuery keys
        && small.attention() instanceof AttentionConfig.GroupedQuery fewer) {
      assertThat(fewer.heads() > fewer.kvHeads()).isEqualTo(keys.heads() > keys.kvHeads());
    }
    assertThat(small.moe() == null).isEqualTo(large.moe() == null);
    if (large.moe() != null) {
      assertThat(tested.parallel().dispatcher())
          .as("tokens get to experts as in the run")
          .isEqualTo(
              run.parallel().expert() == 1
                  ? Dispatcher.AUTO
                  : Dispatcher.AUTO.resolved(
                      SpreadExperts.routed(large.moe()), run.parallel().expert()));
      assertThat(small.isMoeLayer(0)).isEqualTo(large.isMoeLayer(0));
      assertThat(small.isMoeLayer(small.layers() - 1)).isTrue();
      assertThat(Objects.requireNonNull(small.moe()).selection())
          .isEqualTo(large.moe().selection());
    }
    assertThat(small.layers()).isLessThanOrEqualTo(27);
  }

  @Test
  void oneOfSeveralProcessesIsRefused() {
    ProcessPlace second =
        ProcessPlace.of(
            Map.of(
                "DUOKA_RANK", "1",
                "DUOKA_WORLD_SIZE", "2",
                "DUOKA_RENDEZVOUS", "127.0.0.1:29400"));
    assertThatThrownBy(() -> SelfTest.requireAlone(second))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("this is process 1 of 2 by the variables of DUOKA");
  }
}
