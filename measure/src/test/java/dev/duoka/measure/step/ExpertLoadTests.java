package dev.duoka.measure.step;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.parallel.mesh.Mesh;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ExpertLoadTests {
  @Test
  void anEvenLoadIsOneAndAMissingExpertIsSeen() {
    assertThat(ExpertLoad.mixtures(mesh(1, 1, 1), List.of(counts(5, 5, 5, 5))))
        .containsExactly(new ExpertLoad.Mixture(1, 1));
    assertThat(ExpertLoad.mixtures(mesh(1, 1, 1), List.of(counts(8, 4, 4, 0))))
        .containsExactly(new ExpertLoad.Mixture(2, 1));
  }

  /** Two ranks whose tokens prefer experts of either: together they are even. */
  @Test
  void tokensOfAllRanksOfAGroupCount() {
    assertThat(ExpertLoad.mixtures(mesh(1, 2, 2), List.of(counts(4, 4, 0, 0), counts(0, 0, 4, 4))))
        .containsExactly(new ExpertLoad.Mixture(1, 1));
    assertThat(ExpertLoad.mixtures(mesh(1, 2, 2), List.of(counts(4, 2, 2, 0), counts(2, 4, 0, 2))))
        .containsExactly(new ExpertLoad.Mixture(1.5, 1.5));
  }

  /** Two groups, each with all experts: one rank is busy where the sums of both are even. */
  @Test
  void aRankIsBusyWithinItsGroup() {
    assertThat(
            ExpertLoad.mixtures(
                mesh(1, 4, 2),
                List.of(
                    counts(4, 4, 0, 0),
                    counts(4, 4, 0, 0),
                    counts(0, 0, 4, 4),
                    counts(0, 0, 4, 4))))
        .containsExactly(new ExpertLoad.Mixture(1, 2));
  }

  @Test
  void stagesHaveLayersOfTheirOwn() {
    assertThat(ExpertLoad.mixtures(mesh(2, 1, 1), List.of(counts(2, 2, 2, 2), counts(8, 0, 0, 0))))
        .containsExactly(new ExpertLoad.Mixture(1, 1), new ExpertLoad.Mixture(4, 1));
  }

  @Test
  void theTextNamesTheBusiestExpertAndRank() {
    ExpertLoad load =
        new ExpertLoad(
            10, 2, List.of(new ExpertLoad.Mixture(1, 1), new ExpertLoad.Mixture(3, 1.5)));
    assertThat(load.text())
        .isEqualTo(
            "10.0 tokens an expert on average; largest 30.0, 3.00 times that (2.00 in the mean of"
                + " layers); the busiest of 2 expert ranks 1.50 times an equal share (1.25)");
  }

  private static Mesh mesh(int pipeline, int shard, int expert) {
    return new Mesh(pipeline, 1, shard, 1, 1, expert);
  }

  private static List<long[]> counts(long... ofExperts) {
    return List.of(ofExperts);
  }
}
