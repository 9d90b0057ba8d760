package dev.duoka.data.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.overlap.Duplicates;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.ByteTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A run goes on with the documents on the sides where they were when it began. */
class ContinuedDataTests {
  @TempDir Path folder;

  private DataPlan plan(Duplicates duplicates) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      // Every third document is the same as one before it.
      lines.append("{\"text\":\"%s\"}%n".formatted(("text " + i % 40 + " ").repeat(8)));
    }
    Path file = Files.writeString(folder.resolve("a.jsonl"), lines);
    return DataPlan.of(
        List.of(SourceSpec.of(file.toString())),
        new TrainingForm.Text(new ByteTokenizer(), 16, false),
        new DocumentSplit(3, 0.4),
        1000,
        duplicates);
  }

  private TrainingData open(DataPlan plan) {
    return TrainingData.open(plan, folder.resolve("cache"), TokenisationListener.SILENT);
  }

  private static long heldOut(TrainingData data) {
    assertThat(data.validation()).isNotNull();
    return new ValidationBatches(data.validation(), Long.MAX_VALUE, 0, 1, 1).sequences();
  }

  @Test
  void theSplitOfAnOlderVersionIsKept() throws IOException {
    TrainingData fresh = open(plan(Duplicates.KEEP));
    assertThat(fresh.report().overlap().allCopies()).isEqualTo(20);
    assertThat(fresh.report().overlap().leaks()).isZero();
    Map<String, String> older = new HashMap<>(fresh.identity());
    older.remove(TrainingData.DUPLICATES);
    TrainingData goesOn = open(plan(Duplicates.KEEP).continuing(older));
    // By their ids alone some copies are held out and trained on.
    assertThat(goesOn.report().overlap().same()).isPositive();
    assertThat(heldOut(goesOn)).isNotEqualTo(heldOut(fresh));
    assertThat(goesOn.identity()).isEqualTo(older);
    TrainingData again = open(plan(Duplicates.KEEP).continuing(fresh.identity()));
    assertThat(heldOut(again)).isEqualTo(heldOut(fresh));
    assertThat(again.identity()).isEqualTo(fresh.identity());
  }

  @Test
  void whatARunBeganWithIsNotDroppedLater() throws IOException {
    TrainingData all = open(plan(Duplicates.KEEP));
    TrainingData dropped = open(plan(Duplicates.DROP));
    assertThat(dropped.trainingTokens()).isLessThan(all.trainingTokens());
    assertThat(dropped.identity()).isNotEqualTo(all.identity());
    DataPlan drops = plan(Duplicates.DROP);
    assertThatThrownBy(() -> drops.continuing(Map.of()))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("data.duplicates is drop");
  }
}
