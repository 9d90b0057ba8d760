package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.shard.ByteEncoders;
import dev.duoka.data.shard.Corpora;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Digits are answers here: "ab12cd3" is the pair of "ab12" and "cd3". */
class PairSequencesTests {
  private static final long NONE = MicroBatch.MASKED;

  @TempDir Path folder;

  private PairSequences pairs(int length, String... documents) throws IOException {
    DocumentSubset all =
        DocumentSubset.of(
            Corpora.shards(folder, ByteEncoders.answers(), List.of(documents)),
            new DocumentSplit(1, 0),
            SplitPart.TRAIN);
    return PairSequences.of(all, length, 0);
  }

  @Test
  void theChosenComesFirstAndOnlyAnswersAreLearned() throws IOException {
    PairSequences set = pairs(5, "ab12cd3", "x4y567");
    assertThat(set.count()).isEqualTo(4);
    MicroBatch batch = StreamSequencesTests.read(set, 0, 1, 2, 3);
    assertThat(batch.tokens())
        .containsExactly(
            'a', 'b', '1', '2', 0, 'c', 'd', '3', 0, 0, 'x', '4', 0, 0, 0, 'y', '5', '6', '7', 0);
    assertThat(batch.targets())
        .containsExactly(
            NONE, '1', '2', NONE, NONE, NONE, '3', NONE, NONE, NONE, '4', NONE, NONE, NONE, NONE,
            '5', '6', '7', NONE, NONE);
    assertThat(batch.realPairs()).isEqualTo(2);
  }

  @Test
  void aLongPairLosesTheBeginningOfItsQuestionOnBothSides() throws IOException {
    PairSequences set = pairs(4, "abcdef1abcdef23", "a123456b1");
    assertThat(set.cutDocuments()).isEqualTo(1);
    assertThat(set.cutTokens()).isEqualTo(3);
    assertThat(set.longestDocument()).isEqualTo(8);
    // An answer that leaves no room for a token before it: nothing is learned from the pair.
    assertThat(set.pairsTooLong()).isEqualTo(1);
    assertThat(set.count()).isEqualTo(2);
    assertThat(StreamSequencesTests.read(set, 0, 1).tokens())
        .containsExactly('d', 'e', 'f', '1', 'd', 'e', 'f', '2');
  }

  @Test
  void whereNoPairFitsTheLengthIsNamed() {
    assertThatThrownBy(() -> pairs(2, "a1234b5"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("sequences of 2 tokens")
        .hasMessageContaining("data.sequence_length");
  }

  @Test
  void whatTheReferenceSaysGoesWithItsSequence() throws IOException {
    PairSequences set = pairs(5, "a1b2", "c3d4", "e5f6");
    set.refer(new double[] {-1, -2, -3, -4, -5, -6});
    TrainingOrder order = new TrainingOrder(set, 3);
    RankShare share = new RankShare(0, 1, 6, 6);
    MicroBatch batch = BatchStream.read(order, share, DataState.START).microBatches().getFirst();
    double[] references = batch.references().orElseThrow();
    for (int row = 0; row < 6; row++) {
      // '1' and '2' are the targets of -1 and -2, and so on.
      assertThat(references[row]).isEqualTo(-(batch.targets()[row * 5] - '0'));
    }
  }

  @Test
  void partsShareWhatTheReferenceSays() throws IOException {
    PairSequences set = pairs(5, "a1b2", "c3d4", "e5f6");
    List<PairSequences> parts = set.divided(new long[] {1, 1, 3});
    assertThat(parts.get(1).count()).as("of no document").isZero();
    set.refer(new double[] {-1, -2, -3, -4, -5, -6});
    assertThat(parts.get(0).references()).containsExactly(-1, -2);
    assertThat(parts.get(2).references()).containsExactly(-3, -4, -5, -6);
    assertThat(parts.get(2).isPartOf(set)).isTrue();
    assertThat(set.isPartOf(set)).isFalse();
    assertThat(StreamSequencesTests.read(parts.get(2), 0, 2).tokens())
        .startsWith('c', '3')
        .contains('e', '5');
    assertThat(new ValidationBatches(parts.get(2), 4, 0, 1, 4).read(0).references())
        .hasValue(new double[] {-3, -4, -5, -6});
  }

  @Test
  void theNameOfTheContentSaysWhatStandsWhere() throws IOException {
    PairSequences set = pairs(5, "a1b2", "c3d4", "e5f6");
    assertThat(pairs(5, "a1b2", "c3d4", "e5f6").contentName()).isEqualTo(set.contentName());
    List<String> others = new ArrayList<>();
    others.add(set.contentName());
    others.add(pairs(5, "c3d4", "a1b2", "e5f6").contentName());
    others.add(pairs(5, "a1b2", "c3d4", "e5f7").contentName());
    others.add(pairs(6, "a1b2", "c3d4", "e5f6").contentName());
    others.add(pairs(5, "a1b2", "c34d", "e5f6").contentName());
    set.divided(new long[] {1, 2, 3}).forEach(part -> others.add(part.contentName()));
    assertThat(others).doesNotHaveDuplicates();
  }

  /** Whatever the order, and in mixtures: the rejected answer follows the chosen one. */
  @Test
  void pairsAreDrawnTogether() throws IOException {
    PairSequences one = pairs(5, "a1b2", "a3b4", "a5b6", "a7b8", "a9b0");
    PairSequences other = pairs(5, "p1q2", "p3q4", "p5q6");
    List<TrainingOrder> orders = new ArrayList<>();
    orders.add(new TrainingOrder(one, 5));
    orders.add(
        new TrainingOrder(
            SequenceMixture.of(List.of(one, other), List.of(BigDecimal.valueOf(3), BigDecimal.ONE)),
            5));
    orders.add(new TrainingOrder(SpreadSequences.of(List.of(one, other)), 5));
    for (TrainingOrder order : orders) {
      DataState state = DataState.START;
      for (int step = 0; step < 7; step++) {
        StepBatch batch = BatchStream.read(order, new RankShare(0, 1, 2, 4), state);
        for (MicroBatch pair : batch.microBatches()) {
          assertThat(pair.tokens()[5]).isEqualTo(pair.tokens()[0] + 1);
          long chosen = pair.targets()[0];
          assertThat(pair.targets()[5]).isEqualTo(chosen == '9' ? '0' : chosen + 1);
        }
        state = batch.after();
      }
    }
  }

  @Test
  void whatFillsUpAValidationIsNoPair() throws IOException {
    ValidationBatches batches = new ValidationBatches(pairs(5, "a1b2", "c3d4"), 3, 0, 1, 4);
    assertThat(batches.sequences()).isEqualTo(2);
    MicroBatch batch = batches.read(0);
    assertThat(batch.realPairs()).isEqualTo(1);
    assertThat(batch.references()).hasValue(new double[4]);
  }
}
