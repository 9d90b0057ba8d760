package dev.duoka.train.placement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MeshPictureTests {
  private static final String FILE =
      """
      model: {preset: tiny-llama}
      data: {sources: [a.txt], sequence_length: 64}
      training: {tokens_per_step: 1024, steps: 5}
      """;

  private static final MachineView NO_GPU = MachineView.without("there is none");

  private static RunConfig config(String... overrides) {
    return RunFile.parse("run.yaml", FILE, List.of(overrides));
  }

  private static List<String> picture(MachineView machine, String... overrides) {
    RunConfig config = config(overrides);
    return MeshPicture.of(
        config, MeshPlacement.of(config, ProcessPlace.ALONE, machine), ProcessPlace.ALONE);
  }

  @Test
  void oneRankIsSomewhere() {
    assertThat(picture(NO_GPU)).containsExactly("1 rank on the CPU");
  }

  @Test
  void everyAxisIsShown() {
    assertThat(
            picture(
                NO_GPU,
                "device=cpu",
                "model.preset=tiny-v3",
                "training.tokens_per_step=65536",
                "parallel={data: 2, tensor: 2, pipeline: 2, expert: 4, zero: 2}"))
        .containsExactly(
            "8 ranks: pipeline 2 × data 2 × tensor 2, experts over groups of 4, ZeRO 2; ranks are"
                + " threads on the CPU",
            "┌─ stage 0, layers 0–1 ────────────────────────────┐",
            "│ ┌─ data 0 ────────────┐  ┌─ data 1 ────────────┐ │",
            "│ │ 0 thread ─ 1 thread │  │ 2 thread ─ 3 thread │ │",
            "│ └─────────────────────┘  └─────────────────────┘ │",
            "└──────────────────────────────────────────────────┘",
            "┌─ stage 1, layers 2–3 ────────────────────────────┐",
            "│ ┌─ data 0 ────────────┐  ┌─ data 1 ────────────┐ │",
            "│ │ 4 thread ─ 5 thread │  │ 6 thread ─ 7 thread │ │",
            "│ └─────────────────────┘  └─────────────────────┘ │",
            "└──────────────────────────────────────────────────┘",
            "tensor    the memory of their process: [0 1] [2 3] [4 5] [6 7]",
            "expert    the memory of their process: [0 1 2 3] [4 5 6 7]",
            "pipeline  the memory of their process: [0→4] [1→5] [2→6] [3→7]",
            "data      the memory of their process: [0 2] [1 3] [4 6] [5 7]");
  }

  @Test
  void aRankWithSeveralStagesHasSeveralRangesOfLayers() {
    assertThat(
            picture(
                NO_GPU,
                "device=cpu",
                "model.preset=tiny-v3",
                "training.tokens_per_step=65536",
                "parallel={pipeline: 2, context: 2, schedule: interleaved}"))
        .contains("┌─ stages 0 and 2, layers 0 and 2 ─┐  ┌─ stages 1 and 3, layers 1 and 3 ─┐")
        .anyMatch(line -> line.contains("0 thread ~ 1 thread"));
  }

  @Test
  void processesAreShownAndWhichOfThemThisIs() {
    String[] four = {"training.tokens_per_step=65536", "parallel={data: 4}"};
    RunConfig config = config(four);
    ProcessPlace second =
        ProcessPlace.of(
            Map.of("DUOKA_RANK", "1", "DUOKA_WORLD_SIZE", "2", "DUOKA_RENDEZVOUS", "a:1"));
    assertThat(MeshPicture.of(config, MeshPlacement.of(config, second, NO_GPU), second))
        .contains("2 processes of 2 ranks each; this one is process 1, with ranks 2–3")
        .contains("data      TCP between processes: [0 1 2 3]");
    assertThat(picture(NO_GPU, four[0], four[1], "launch.ranks_per_process=1"))
        .contains("4 processes of 1 rank each, to be started together");
    assertThat(picture(NO_GPU, four)).noneMatch(line -> line.contains("processes"));
  }

  @Test
  void everyMeshOfUpToSixteenRanksFitsATerminal() {
    MachineView switched =
        MachineView.of(
            MeshPlacementTests.machine(16, (a, b) -> a / 8 == b / 8 ? "NV18" : "SYS"), "topo.txt");
    int shown = 0;
    for (int tensor : new int[] {1, 2, 4}) {
      for (int pipeline : new int[] {1, 2, 4}) {
        for (int context : new int[] {1, 2, 4}) {
          for (int data = 1; data * tensor * pipeline * context <= 16; data *= 2) {
            List<String> lines =
                picture(
                    switched,
                    "model.preset=tiny-v3",
                    "training.tokens_per_step=65536",
                    "device=cuda",
                    "parallel={data: %d, tensor: %d, pipeline: %d, context: %d}"
                        .formatted(data, tensor, pipeline, context));
            assertThat(lines).allMatch(line -> line.length() <= 98);
            int ranks = data * tensor * pipeline * context;
            if (ranks > 1) {
              for (int gpu = 0; gpu < ranks; gpu++) {
                String cell = "GPU" + gpu + " ";
                assertThat(lines).as("%s", lines).anyMatch(line -> (line + " ").contains(cell));
              }
            }
            shown++;
          }
        }
      }
    }
    assertThat(shown).isGreaterThan(40);
  }

  /** Stages lie where the table has them, and activations go that way. */
  @Test
  void aTableIsShownAsItGoes(@TempDir Path folder) throws IOException {
    Path table =
        Files.writeString(
            folder.resolve("v.csv"),
            "0F0,3F0,0F1,3F1,3B0,0B0,3B1,0B1\n1F0,2F0,1F1,2F1,2B0,1B0,2B1,1B1\n");
    assertThat(
            picture(
                NO_GPU,
                "device=cpu",
                "training.tokens_per_step=128",
                "training.micro_batch=1",
                "model.overrides.num_hidden_layers=4",
                "parallel={pipeline: 2, schedule: " + table + "}"))
        .anySatisfy(line -> assertThat(line).contains("stages 0 and 3, layers 0 and 3"))
        .anySatisfy(line -> assertThat(line).contains("stages 1 and 2, layers 1 and 2"))
        .anySatisfy(line -> assertThat(line).endsWith("[0→1→0]"));
  }

  @Test
  void groupsOfManyRanksAreShortened() {
    assertThat(
            picture(
                NO_GPU, "device=cpu", "training.tokens_per_step=65536", "parallel={data: 1024}"))
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(96))
        .anySatisfy(line -> assertThat(line).contains("[0 1 2 3 4 ").endsWith("… 1022 1023]"));
  }
}
