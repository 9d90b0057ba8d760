package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.train.config.DivergenceRemedies;
import dev.duoka.train.config.LeftOutBatches;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run file is changed to when cards are lost, or when the run has diverged. */
final class FewerRanksTests {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void writeRunFile() throws IOException {
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    Files.writeString(corpus.resolve("a.txt"), "some text\n".repeat(100));
    file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-moe}
            data: {sources: [%s], sequence_length: 16}
            training: {tokens_per_step: 512, micro_batch: 1, steps: 10}
            optimizer: {learning_rate: 4e-4}
            remedies: {go_back: 3, lost_card: true}
            device: cpu
            """
                .formatted(corpus));
  }

  private RunConfig config(String... overrides) {
    return RunFile.read(file, List.of(overrides));
  }

  private List<Integer> ranks(String... overrides) {
    return FewerRanks.of(file, List.of(overrides), config(overrides)).stream()
        .map(FewerRanks::ranks)
        .toList();
  }

  /** 32 sequences over three ranks, each as before; experts on as many ranks as still divide. */
  @Test
  void dataRanksGoDownOneByOne() {
    String[] four = {"parallel.data=4", "parallel.expert=4"};
    assertThat(ranks(four)).containsExactly(3, 2, 1);
    FewerRanks three = FewerRanks.of(file, List.of(four), config(four)).getFirst();
    assertThat(three.overrides())
        .containsExactly(
            "parallel.data=3",
            "parallel.expert=1",
            "parallel.replicate=1",
            "parallel.empty_micro_batches=true",
            "training.micro_batch=1",
            "device=cpu");
    assertThat(config("parallel.data=3", "parallel.empty_micro_batches=true").layout())
        .matches(layout -> layout.accumulation() == 11);
    assertThat(ranks("parallel.data=2", "parallel.tensor=2")).containsExactly(2);
    assertThat(ranks("parallel.tensor=4")).isEmpty();
  }

  /** A rank alone exchanges no buckets, whatever their size was. */
  @Test
  void oneRankHasTheUsualBuckets() {
    String[] two = {"parallel.data=2", "parallel.blocks_per_bucket=2"};
    assertThat(FewerRanks.of(file, List.of(two), config(two)))
        .singleElement()
        .satisfies(one -> assertThat(one.overrides()).contains("parallel.blocks_per_bucket=1"));
    String[] four = {"parallel.data=2", "parallel.tensor=2", "parallel.blocks_per_bucket=2"};
    assertThat(FewerRanks.of(file, List.of(four), config(four)))
        .singleElement()
        .satisfies(
            left -> assertThat(left.overrides()).noneMatch(it -> it.contains("blocks_per_bucket")));
  }

  @Test
  void theRateIsHalvedFromTheSecondTimeOn() {
    assertThat(DivergenceRemedies.of(config()))
        .containsExactly(
            List.of(),
            List.of("optimizer.learning_rate=2.0E-4"),
            List.of("optimizer.learning_rate=1.0E-4"));
    assertThat(config("optimizer.learning_rate=2.0E-4").optimizer().learningRate()).isEqualTo(2e-4);
  }

  @Test
  void batchesThatAreLeftOutAreReadFromTheRunFile() {
    LeftOutBatches leftOut =
        LeftOutBatches.of(config("data.leave_out=[\"100:24\", \"100:6\", \"300:1\"]"));
    assertThat(leftOut.after(100)).isEqualTo(30);
    assertThat(leftOut.after(300)).isEqualTo(1);
    assertThat(leftOut.after(101)).isZero();
    assertThatThrownBy(() -> config("data.leave_out=[\"ten\"]"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("data.leave_out has 'ten'");
  }
}
