package dev.duoka.experiment.ladder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.util.List;
import org.junit.jupiter.api.Test;

final class LadderPlanTests {
  private static final String RUN =
      """
      model: {preset: tiny-llama}
      data: {sources: [text.txt], sequence_length: 16}
      training: {tokens_per_step: 1024, micro_batch: 2, epochs: 3}
      parallel: {data: 2, pipeline: 4, schedule: interleaved, stages_per_rank: 2, stages: [1, 1, 1, 1, 1, 1, 1, 1]}
      """;

  private static RunConfig read(List<String> changes) {
    return RunFile.parse("a run", RUN, changes);
  }

  private static RunConfig with(RunConfig config, List<String> arm) {
    return RunFile.parse("an arm", RunFile.write(config), arm);
  }

  /** 16 micro-batches of each data rank, of which 4 fill the pipeline. */
  @Test
  void allRungsAreComparedOnOneBatchThatFillsThePipeline() {
    RunConfig config = read(List.of());
    LadderPlan plan = new LadderPlan(config, true, 16);
    assertThat(plan.parityTokens()).isEqualTo(2 * 4 * 2 * 16);
    for (Rung rung : plan.rungs()) {
      RunConfig arm = with(config, plan.parity(rung));
      assertThat(arm.training().tokensPerStep()).isEqualTo(plan.parityTokens());
      assertThat(arm.parallel().ranks()).isEqualTo(rung.ranks());
      assertThat(arm.schedule().warmupSteps()).isZero();
      assertThat(arm.threads()).hasValue(2);
    }
  }

  @Test
  void eachCardHasAsManyTokensOnEachRung() {
    RunConfig config = read(List.of());
    LadderPlan plan = new LadderPlan(config, false, 16);
    assertThat(plan.tokensPerCard()).isEqualTo(4 * 2 * 16);
    for (Rung rung : plan.rungs()) {
      RunConfig arm = with(config, plan.speed(rung));
      assertThat(arm.training().tokensPerStep()).isEqualTo(plan.tokensPerCard() * rung.ranks());
      assertThat(BatchPlan.of(arm).microBatch()).isEqualTo(2);
      assertThat(arm.threads()).isEmpty();
    }
    assertThat(with(config, plan.speed(plan.rungs().getLast())).training().tokensPerStep())
        .as("that of the run itself")
        .isEqualTo(1024);
  }

  @Test
  void roundingIsSeenInOtherMicroBatches() {
    RunConfig config = read(List.of());
    LadderPlan plan = new LadderPlan(config, false, 16);
    assertThat(plan.rounding(plan.rungs().getFirst()).orElseThrow())
        .contains("training.micro_batch=1");
    RunConfig ones = read(List.of("training.micro_batch=1"));
    LadderPlan larger = new LadderPlan(ones, false, 16);
    assertThat(larger.rounding(larger.rungs().getFirst()).orElseThrow())
        .contains("training.micro_batch=2");
    RunConfig one =
        read(
            List.of("training.micro_batch=1", "parallel={data: 2}", "training.tokens_per_step=32"));
    LadderPlan single = new LadderPlan(one, false, 16);
    assertThat(single.parityTokens()).as("two micro-batches, though the run has one").isEqualTo(64);
    assertThat(single.rounding(single.rungs().getFirst()).orElseThrow())
        .contains("training.micro_batch=2");
  }

  @Test
  void namedCardsAreTakenInTheirOrder() {
    RunConfig config = read(List.of("parallel={data: 4}", "device=cuda:3,1,2,0"));
    LadderPlan plan = new LadderPlan(config, false, 16);
    assertThat(plan.rungs().stream().map(plan::mesh))
        .satisfiesExactly(
            mesh -> assertThat(mesh).contains("device=cuda:3"),
            mesh -> assertThat(mesh).contains("device=cuda:3,1"),
            mesh -> assertThat(mesh).contains("device=cuda:3,1,2,0"));
  }

  @Test
  void aTableIsRefused() {
    RunConfig config = read(List.of("parallel={data: 1, pipeline: 2, schedule: table.csv}"));
    assertThatThrownBy(() -> new LadderPlan(config, false, 16))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("table.csv");
  }
}
