package dev.duoka.train.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MemoryRemediesTests {
  @TempDir Path folder;

  private List<List<String>> ways(int sequences, int microBatch, String... overrides)
      throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [x], sequence_length: 32}
            training: {tokens_per_step: %d, micro_batch: %d, steps: 10}
            device: cuda
            """
                .formatted(32 * sequences, microBatch));
    RunConfig config = RunFile.read(file, List.of(overrides));
    return MemoryRemedies.of(config).stream().map(way -> way.overrides(config)).toList();
  }

  /** Three sequences become three times one; the way ends with recompute and the host's memory. */
  @Test
  void microBatchesGoDownByDivisors() throws IOException {
    assertThat(ways(12, 12))
        .containsExactly(
            List.of("training.micro_batch=6"),
            List.of("training.micro_batch=3"),
            List.of("training.micro_batch=1"),
            List.of("training.micro_batch=1", "training.recompute=selective"),
            List.of("training.micro_batch=1", "training.recompute=full"),
            List.of(
                "training.micro_batch=1",
                "training.recompute=full",
                "memory.offload=optimizer",
                "memory.offload_update=device"),
            List.of(
                "training.micro_batch=1",
                "training.recompute=full",
                "memory.offload=optimizer",
                "memory.offload_update=host"));
    assertThat(ways(3, 3).getFirst()).containsExactly("training.micro_batch=1");
  }

  @Test
  void oneSequenceGoesToRecomputeAtOnce() throws IOException {
    assertThat(ways(4, 1).getFirst())
        .containsExactly("training.micro_batch=1", "training.recompute=selective");
    assertThat(ways(4, 1, "training.recompute=selective").getFirst())
        .containsExactly("training.micro_batch=1", "training.recompute=full");
    assertThat(ways(4, 1, "training.recompute=full", "memory.offload=optimizer"))
        .containsExactly(List.of("training.micro_batch=1", "memory.offload_update=host"));
    assertThat(
            ways(
                4,
                1,
                "training.recompute=full",
                "memory.offload=optimizer",
                "memory.offload_update=host"))
        .isEmpty();
  }

  @Test
  void statesOfWhichAPartStaysAllLeave() throws IOException {
    assertThat(
            ways(
                4,
                1,
                "training.recompute=full",
                "memory.offload=optimizer",
                "memory.offload_fraction=0.5"))
        .containsExactly(
            List.of("training.micro_batch=1", "memory.offload_fraction=1.0"),
            List.of(
                "training.micro_batch=1",
                "memory.offload_update=host",
                "memory.offload_fraction=1.0"));
  }

  /** Sums of several micro-batches need more bits; what the run file refuses is no way. */
  @Test
  void gradientsInFewBitsSplitNoMicroBatch() throws IOException {
    assertThat(ways(8, 8, "training.precision=bf16", "memory.gradients=bf16").getFirst())
        .containsExactly("training.micro_batch=8", "training.recompute=selective");
  }

  /** What several ranks hold is shared out before it leaves the card. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{data: 4}; 1 2 3",
        "{context: 2, zero: 1}; 2 3",
        "{data: 2, zero: 3}; ''",
        "{data: 4, replicate: 4}; ''",
        "{tensor: 2}; ''"
      })
  void statesAreSharedOutBeforeTheyLeave(String parallel, String stages) throws IOException {
    List<List<String>> ways = ways(4, 1, "parallel=" + parallel, "training.recompute=full");
    assertThat(
            ways.stream()
                .filter(way -> !way.contains("memory.offload=optimizer"))
                .map(way -> way.getLast().replace("parallel.zero=", ""))
                .collect(Collectors.joining(" ")))
        .isEqualTo(stages);
    List<String> last = new ArrayList<>(List.of("training.micro_batch=1"));
    if (!stages.isEmpty()) {
      last.add("parallel.zero=3");
    }
    last.addAll(List.of("memory.offload=optimizer", "memory.offload_update=host"));
    assertThat(ways.getLast()).isEqualTo(last);
  }

  /** A table of a pipeline says where each of its micro-batches goes. */
  @Test
  void aTableOfAPipelineSplitsNoMicroBatch() throws IOException {
    assertThat(ways(8, 4, "parallel={pipeline: 2, schedule: stages.csv}").getFirst())
        .containsExactly("training.micro_batch=4", "training.recompute=selective");
    assertThat(ways(8, 4, "parallel={pipeline: 2, schedule: gpipe}").getFirst())
        .containsExactly("training.micro_batch=2");
  }

  @Test
  void aCpuHasNoOtherMemoryForStates() throws IOException {
    assertThat(ways(4, 1, "device=cpu"))
        .containsExactly(
            List.of("training.micro_batch=1", "training.recompute=selective"),
            List.of("training.micro_batch=1", "training.recompute=full"));
  }

  /** Each way is a run file that is taken as it is. */
  @Test
  void theyAreValid() throws IOException {
    List<String> few = List.of("training.precision=bf16", "memory.gradients=bf16");
    for (List<String> run : List.of(List.<String>of(), few, List.of("parallel={context: 2}"))) {
      for (List<String> way : ways(8, 8, run.toArray(String[]::new))) {
        List<String> all = new ArrayList<>(run);
        all.addAll(way);
        RunConfig config = RunFile.read(folder.resolve("run.yaml"), all);
        assertThat(config.training().tokensPerStep()).isEqualTo(256);
      }
    }
  }
}
