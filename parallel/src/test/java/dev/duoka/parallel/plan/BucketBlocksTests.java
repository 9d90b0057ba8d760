package dev.duoka.parallel.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.model.weight.BlockRange;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BucketBlocksTests {
  private static List<Integer> of(List<BlockRange> stages, int layers, int perBucket, int blocks) {
    BucketBlocks rule = new BucketBlocks(stages, layers, perBucket);
    return IntStream.range(0, blocks).map(rule::firstOf).boxed().toList();
  }

  @Test
  void layersShareABucketAndTheEndsDoNot() {
    // Embedding, five layers, head, two modules for further tokens.
    assertThat(of(List.of(BlockRange.ALL), 5, 2, 9)).containsExactly(0, 1, 1, 3, 3, 5, 6, 7, 8);
    assertThat(of(List.of(BlockRange.ALL), 5, 9, 9)).containsExactly(0, 1, 1, 1, 1, 1, 6, 7, 8);
    assertThat(of(List.of(BlockRange.ALL), 5, 1, 9)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8);
  }

  @Test
  void noBucketLiesInTwoStages() {
    List<BlockRange> neighbours = List.of(new BlockRange(0, 4), new BlockRange(4, 7));
    assertThat(of(neighbours, 7, 2, 7)).containsExactly(0, 1, 1, 3, 4, 4, 6);
  }

  @Test
  void countsWhatAStageHas() {
    assertThat(BucketBlocks.count(5, 2)).isEqualTo(3);
    assertThat(BucketBlocks.count(4, 8)).isEqualTo(1);
  }

  @Test
  void aBucketHoldsSomething() {
    assertThatThrownBy(() -> new BucketBlocks(List.of(BlockRange.ALL), 4, 0))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("buckets of 0 blocks");
  }
}
