package dev.duoka.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class BatchPlanTests {
  @Test
  void derivesSequencesAndAccumulation() {
    BatchPlan plan = BatchPlan.of(8192, 256, 2, OptionalInt.of(8));
    assertThat(plan.sequencesPerStep()).isEqualTo(32);
    assertThat(plan.sequencesPerRank()).isEqualTo(16);
    assertThat(plan.accumulationSteps()).isEqualTo(2);
    assertThat(plan)
        .hasToString("8,192 tokens = 2 ranks × 2 accumulation steps × 8 sequences × 256 tokens")
        .returns(
            "8,192 tokens = 2 ranks × 2 accumulation steps × 8 sequences × 256 tokens",
            it -> it.text(2))
        .returns(
            "8,192 tokens = 2 data ranks × 2 accumulation steps × 8 sequences × 256 tokens",
            it -> it.text(4));
  }

  @Test
  void derivesTheLargestMicroBatchThatDivides() {
    assertThat(BatchPlan.of(8192, 256, 2, OptionalInt.empty()).microBatch()).isEqualTo(16);
    // 96 sequences of 4096 tokens: 4 of them are 16 384 tokens.
    assertThat(BatchPlan.of(96 * 4096, 4096, 1, OptionalInt.empty()).microBatch()).isEqualTo(4);
    // 10 sequences: 4 would fit but does not divide, 2 does.
    assertThat(BatchPlan.of(10 * 4096, 4096, 1, OptionalInt.empty()).microBatch()).isEqualTo(2);
    // One sequence is longer than a derived micro-batch may be.
    assertThat(BatchPlan.of(65536, 32768, 1, OptionalInt.empty()).microBatch()).isEqualTo(1);
  }

  @Test
  void showsTheArithmeticThatDoesNotWorkOut() {
    assertThatThrownBy(() -> BatchPlan.of(8000, 256, 2, OptionalInt.empty()))
        .hasMessage(
            "training.tokens_per_step 8000 is no whole number of sequences for each rank:"
                + " 8000 / (256 tokens × 2 ranks) = 15.63. Nearest valid: 7680 or 8192.");
    assertThatThrownBy(() -> BatchPlan.of(100, 256, 2, OptionalInt.empty()))
        .hasMessageEndingWith("Nearest valid: 512.");
    assertThatThrownBy(() -> BatchPlan.of(8192, 256, 2, OptionalInt.of(5)))
        .hasMessage(
            "training.micro_batch 5 does not divide a rank's 16 sequences:"
                + " 8192 tokens / (256 × 2 ranks) = 16. Nearest valid: 4 or 8.");
    assertThatThrownBy(() -> BatchPlan.of(8192, 256, 2, OptionalInt.of(99)))
        .hasMessageEndingWith("Nearest valid: 16.");
  }

  @Test
  void ranksNeedNotDivideAStepWhereThatIsAllowed() {
    BatchPlan plan = BatchPlan.uneven(32 * 64, 64, 3, OptionalInt.of(1));
    assertThat(plan.accumulationSteps()).isEqualTo(11);
    assertThat(plan.emptyMicroBatches()).isEqualTo(1);
    assertThat(plan)
        .hasToString(
            "2,048 tokens = 3 ranks × 11 accumulation steps × 1 sequence × 64 tokens,"
                + " less 1 empty micro-batch");
    assertThat(BatchPlan.uneven(32 * 64, 64, 3, OptionalInt.empty()).microBatch()).isEqualTo(8);
    assertThat(BatchPlan.uneven(32 * 64, 64, 4, OptionalInt.of(2)))
        .isEqualTo(BatchPlan.of(32 * 64, 64, 4, OptionalInt.of(2)));
    assertThatThrownBy(() -> BatchPlan.uneven(64, 64, 3, OptionalInt.of(1)))
        .hasMessageContaining("1 micro-batches, fewer than the 3 ranks");
    assertThatThrownBy(() -> BatchPlan.uneven(32 * 64, 64, 3, OptionalInt.of(5)))
        .hasMessageContaining("Nearest valid: 4 or 8");
  }

  @Test
  void thePartsMultiplyToTheWhole() {
    Random random = new Random(42);
    for (int i = 0; i < 1000; i++) {
      int length = 1 + random.nextInt(5000);
      int ranks = 1 + random.nextInt(16);
      long tokens = (long) length * ranks * (1 + random.nextInt(500));
      BatchPlan plan = BatchPlan.of(tokens, length, ranks, OptionalInt.empty());
      assertThat((long) length * ranks * plan.microBatch() * plan.accumulationSteps())
          .isEqualTo(tokens);
    }
  }
}
