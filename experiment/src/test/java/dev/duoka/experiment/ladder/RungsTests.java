package dev.duoka.experiment.ladder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunFile;
import java.util.List;
import org.junit.jupiter.api.Test;

final class RungsTests {
  private static List<Rung> of(String parallel) {
    ParallelSettings settings =
        RunFile.parse(
                "a run",
                """
                model: {preset: tiny-llama}
                data: {sources: [text.txt], sequence_length: 16}
                training: {tokens_per_step: 3072, micro_batch: 1, steps: 10}
                parallel: %s
                """
                    .formatted(parallel),
                List.of())
            .parallel();
    return Rungs.of(settings);
  }

  @Test
  void oneRankIsTheOnlyRungOfOneRank() {
    assertThat(of("{}")).extracting(Rung::mesh).containsExactly("one rank");
  }

  @Test
  void ranksDoubleUpToTheWholeMesh() {
    List<Rung> rungs = of("{data: 8}");
    assertThat(rungs).extracting(Rung::ranks).containsExactly(1, 2, 4, 8);
    assertThat(rungs).extracting(Rung::number).containsExactly(1, 2, 3, 4);
    assertThat(rungs.getLast().grown()).containsExactly("data");
  }

  @Test
  void whatCutsTheModelGrowsFirst() {
    assertThat(of("{data: 2, tensor: 2, pipeline: 2, context: 2}"))
        .extracting(Rung::mesh)
        .containsExactly(
            "one rank",
            "tensor 2",
            "tensor 2 × pipeline 2",
            "tensor 2 × pipeline 2 × context 2",
            "data 2 × tensor 2 × pipeline 2 × context 2");
  }

  @Test
  void eachRungDividesTheNext() {
    assertThat(of("{data: 12}")).extracting(Rung::ranks).containsExactly(1, 2, 4, 12);
    assertThat(of("{data: 3}")).extracting(Rung::ranks).containsExactly(1, 3);
  }

  /** Experts are spread over what there is, and within each replica alone. */
  @Test
  void expertsAndReplicasGrowWithTheirRanks() {
    List<Rung> rungs = of("{data: 8, expert: 4, replicate: 2, zero: 1}");
    assertThat(rungs).extracting(Rung::expert).containsExactly(1, 2, 4, 4);
    assertThat(rungs).extracting(Rung::replicate).containsExactly(1, 1, 1, 2);
    assertThat(rungs.get(1).grown()).containsExactly("data", "expert");
    assertThat(rungs.getLast().grown()).containsExactly("replicate");
  }

  /** Rungs whose ranks hold no weights twice have no buckets to exchange. */
  @Test
  void bucketsAreTheUsualOnesUntilTheyAreExchanged() {
    assertThat(of("{data: 2, pipeline: 2, blocks_per_bucket: 2}"))
        .extracting(rung -> rung.axes().contains("parallel.blocks_per_bucket=1"))
        .containsExactly(true, true, false);
  }
}
