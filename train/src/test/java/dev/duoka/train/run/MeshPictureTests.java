package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MeshPictureTests {
  private static final String FILE =
      """
      model: {preset: tiny-llama}
      data: {sources: [a.txt], sequence_length: 64}
      training: {tokens_per_step: 1024, steps: 5}
      """;

  private static List<String> picture(String... overrides) {
    return MeshPicture.of(RunFile.parse("run.yaml", FILE, List.of(overrides)));
  }

  @Test
  void oneRankNeedsNone() {
    assertThat(picture()).isEmpty();
  }

  @Test
  void everyAxisIsShown() {
    assertThat(
            picture(
                "model.preset=tiny-v3",
                "training.tokens_per_step=65536",
                "parallel={data: 2, tensor: 2, pipeline: 2, expert: 4, zero: 2}"))
        .containsExactly(
            "8 ranks: pipeline 2 × data 2 × tensor 2, experts over groups of 4, ZeRO 2",
            "  layers 0–1: data 0 = 0|1, data 1 = 2|3",
            "  layers 2–3: data 0 = 4|5, data 1 = 6|7");
  }

  @Test
  void aRankWithSeveralStagesHasSeveralRangesOfLayers() {
    assertThat(
            picture(
                "model.preset=tiny-v3",
                "training.tokens_per_step=65536",
                "parallel={pipeline: 2, context: 2, schedule: interleaved}"))
        .containsExactly(
            "4 ranks: pipeline 2 × context 2, ZeRO 0",
            "  layers 0 and 2: data 0 = 0 ~ 1",
            "  layers 1 and 3: data 0 = 2 ~ 3");
  }

  @Test
  void processesAreShownAndWhichOfThemThisIs() {
    String[] four = {"training.tokens_per_step=65536", "parallel={data: 4}"};
    RunConfig config = RunFile.parse("run.yaml", FILE, List.of(four));
    ProcessPlace second =
        ProcessPlace.of(
            Map.of("DUOKA_RANK", "1", "DUOKA_WORLD_SIZE", "2", "DUOKA_RENDEZVOUS", "a:1"));
    assertThat(MeshPicture.of(config, second))
        .contains("  2 processes of 2 ranks each; this one is process 1, with ranks 2–3");
    assertThat(picture(four[0], four[1], "launch.ranks_per_process=1"))
        .contains("  4 processes of 1 rank each, to be started together");
    assertThat(picture(four)).hasSize(2);
  }
}
