package dev.duoka.train.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.layout.Offload;
import dev.duoka.layout.Recompute;
import dev.duoka.train.config.MemoryRemedy;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class LessMemoryTests {
  private static final String RUN =
      """
      model: {preset: tiny-llama}
      data: {sources: [x], sequence_length: 32}
      training: {tokens_per_step: 384, micro_batch: 12, steps: 10}
      device: cuda
      """;

  private final LessMemory less = LessMemory.of(config());

  private static RunConfig config(String... overrides) {
    return RunFile.parse("run.yaml", RUN, List.of(overrides));
  }

  /** Ten bytes a sequence, a tenth less with each recompute, beside a hundred that are there. */
  private static long need(MemoryRemedy way) {
    int away = way.offload() == Offload.NONE ? 0 : 1 + way.update().ordinal();
    return 100 + way.microBatch() * (10 - way.recompute().ordinal()) - 10 * away;
  }

  private int choose(int tried, long bytes) {
    return less.choose(tried, LessMemoryTests::need, bytes).orElse(-1);
  }

  @Test
  void theFirstThatFitsIsTaken() {
    assertThat(choose(0, 1000)).isZero();
    assertThat(choose(0, 131)).as("three sequences").isEqualTo(1);
    assertThat(choose(0, 110)).as("one").isEqualTo(2);
    assertThat(choose(0, 109)).as("one with recompute: nothing is halved before").isEqualTo(3);
    assertThat(choose(0, 108)).isEqualTo(4);
    assertThat(less.overrides(4))
        .containsExactly("training.micro_batch=1", "training.recompute=full");
  }

  @Test
  void whatWasTriedIsNotTakenAgain() {
    assertThat(choose(2, 1000)).isEqualTo(2);
    assertThat(choose(4, 109)).isEqualTo(4);
  }

  /** What a rank held is what is known to be there: a little more may be. */
  @Test
  void whereNoneFitsTheNextOneIsTaken() {
    assertThat(choose(0, 50)).isZero();
    assertThat(choose(3, 50)).isEqualTo(3);
    assertThat(less.choose(7, LessMemoryTests::need, 1000)).isEqualTo(OptionalInt.empty());
  }

  @Test
  void whatTakesMoreThanTheLastIsPassedOver() {
    // As where states that leave stay in the same memory, with buffers beside them.
    assertThat(less.choose(5, way -> need(way) + (way.offload() == Offload.NONE ? 0 : 50), 50))
        .isEqualTo(OptionalInt.empty());
    assertThat(choose(5, 50)).isEqualTo(5);
  }

  @Test
  void statesMoveToTheHostWithANewStartAlone() {
    assertThat(less.ways()).hasSize(7);
    assertThat(less.isInPlace(4)).isTrue();
    assertThat(less.ways().get(4).recompute()).isEqualTo(Recompute.FULL);
    assertThat(less.isInPlace(5)).as("updated by the device").isFalse();
    assertThat(less.isInPlace(6)).as("updated by the host").isFalse();
  }

  @Test
  void aRunMayWantNone() {
    assertThat(LessMemory.of(config("remedies.out_of_memory=false")).ways()).isEmpty();
  }
}
