package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.shard.ByteEncoders;
import dev.duoka.data.shard.Corpora;
import dev.duoka.data.shard.TokenShards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchStreamTests {
  private static final int LENGTH = 16;
  private static final int PER_STEP = 12;
  private static final int STEPS = 70;

  @TempDir static Path folder;

  private static StreamSequences sequences;
  private static TrainingOrder order;

  @BeforeAll
  static void tokenise() throws IOException {
    TokenShards shards = Corpora.shards(folder, ByteEncoders.masked(), Corpora.texts(31, 300, 40));
    sequences =
        StreamSequences.of(
            DocumentSubset.of(shards, new DocumentSplit(1, 0.1), SplitPart.TRAIN), LENGTH, false);
    order = new TrainingOrder(sequences, 77);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "1, 12", "2, 3", "3, 4", "4, 1", "6, 2", "12, 1"})
  void stepsDoNotDependOnRanksOrMicroBatches(int ranks, int microBatch) {
    List<List<Long>> expected = steps(1, 4);
    assertThat(steps(ranks, microBatch)).isEqualTo(expected);
    // Long enough to run through several epochs, none of which is a whole number of steps.
    assertThat((long) STEPS * PER_STEP).isGreaterThan(2 * sequences.count());
    assertThat(sequences.count() % PER_STEP).isNotZero();
  }

  @Test
  void countsTheTargetsOfTheWholeStepOnEveryRank() {
    DataState state = DataState.START;
    for (int step = 0; step < 5; step++) {
      long sum = 0;
      Set<Long> counts = new HashSet<>();
      DataState after = state;
      for (int rank = 0; rank < 3; rank++) {
        StepBatch batch = BatchStream.read(order, new RankShare(rank, 3, 2, PER_STEP), state);
        assertThat(batch.microBatches()).hasSize(2);
        for (MicroBatch micro : batch.microBatches()) {
          sum += micro.realTargets();
          assertThat(Arrays.stream(micro.targets()).filter(t -> t != MicroBatch.MASKED).count())
              .isEqualTo(micro.realTargets());
        }
        counts.add(batch.stepTargets());
        after = batch.after();
      }
      assertThat(counts).containsExactly(sum);
      state = after;
    }
  }

  @Test
  void resumesExactly() {
    RankShare share = new RankShare(1, 2, 3, PER_STEP);
    List<List<Long>> straight = new ArrayList<>();
    List<DataState> states = new ArrayList<>();
    try (BatchStream stream = BatchStream.open(order, share, DataState.START)) {
      for (int i = 0; i < STEPS; i++) {
        StepBatch batch = stream.next();
        straight.add(content(batch));
        states.add(batch.after());
      }
    }
    for (int resumeAt : new int[] {0, 10, 31, STEPS - 2}) {
      try (BatchStream stream = BatchStream.open(order, share, states.get(resumeAt))) {
        for (int i = resumeAt + 1; i < STEPS; i++) {
          assertThat(content(stream.next())).isEqualTo(straight.get(i));
        }
      }
      DataState pure = order.advance(DataState.START, (resumeAt + 1L) * PER_STEP);
      assertThat(states.get(resumeAt)).isEqualTo(pure);
    }
  }

  @Test
  void eachEpochTakesEverySequenceOnceInAnotherOrder() {
    int count = (int) sequences.count();
    List<List<Integer>> epochs = new ArrayList<>();
    for (long epoch = 0; epoch < 3; epoch++) {
      KeyedPermutation permutation = new KeyedPermutation(count, SplitMix64.mix(77, epoch));
      List<Integer> taken = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        taken.add((int) permutation.apply(i));
      }
      assertThat(new HashSet<>(taken)).hasSize(count);
      epochs.add(taken);
    }
    assertThat(new HashSet<>(epochs)).hasSize(3);
    // A step as long as the data reads each sequence of the epoch, so all targets of the stream.
    RankShare whole = new RankShare(0, 1, 1, count);
    StepBatch first = BatchStream.read(order, whole, DataState.START);
    assertThat(first.after()).isEqualTo(new DataState(1, 0));
    assertThat(content(first)).isNotEqualTo(content(BatchStream.read(order, whole, first.after())));
    assertThat(content(BatchStream.read(new TrainingOrder(sequences, 78), whole, DataState.START)))
        .isNotEqualTo(content(first));
  }

  @Test
  void refusesAStateOfOtherDataAndPlansThatDoNotDivide() {
    RankShare share = new RankShare(0, 1, 1, PER_STEP);
    assertThatThrownBy(() -> BatchStream.open(order, share, new DataState(0, 1_000_000)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("at sequence 1000000 of an epoch, but the data has");
    assertThatThrownBy(() -> new DataState(-1, 0)).hasMessageContaining("cannot be");
    assertThatThrownBy(() -> new RankShare(0, 2, 5, 12))
        .hasMessageContaining("12 sequences a step cannot be divided into micro-batches of 5")
        .hasMessageContaining("a multiple of 5");
    assertThatThrownBy(() -> new RankShare(2, 2, 1, 2)).hasMessageContaining("rank 2 of 2");
  }

  /** After the first step four are passed over; a stream that begins later knows nothing of it. */
  @Test
  void batchesAreLeftOut() {
    RankShare share = new RankShare(0, 1, 1, PER_STEP);
    DataState third = DataState.START.advance(5L * PER_STEP, sequences.count());
    try (BatchStream all = BatchStream.open(order, share, third);
        BatchStream some =
            BatchStream.open(order, share, DataState.START, 10, steps -> steps == 11 ? 4 : 0)) {
      StepBatch first = some.next();
      assertThat(first.before()).isEqualTo(DataState.START);
      StepBatch second = some.next();
      assertThat(second.before()).isEqualTo(third);
      assertThat(second.microBatches().getFirst().tokens())
          .isEqualTo(all.next().microBatches().getFirst().tokens());
      assertThat(some.next().before()).isEqualTo(second.after());
    }
  }

  /** A step of eight over three ranks: every sequence once, and one micro-batch that is empty. */
  @Test
  void ranksThatDoNotDivideAStepRunEmptyMicroBatches() {
    List<Long> taken = new ArrayList<>();
    for (int rank = 0; rank < 3; rank++) {
      StepBatch batch = BatchStream.read(order, new RankShare(rank, 3, 1, 8), DataState.START);
      assertThat(batch.emptyMicroBatches()).isEqualTo(1);
      assertThat(batch.microBatches()).hasSize(3);
      assertThat(batch.microBatches().getLast().isEmpty()).isEqualTo(rank == 2);
      batch.microBatches().stream()
          .filter(it -> !it.isEmpty())
          .forEach(it -> Arrays.stream(it.tokens()).forEach(taken::add));
    }
    StepBatch whole = BatchStream.read(order, new RankShare(0, 1, 8, 8), DataState.START);
    assertThat(taken)
        .containsExactlyElementsOf(
            Arrays.stream(whole.microBatches().getFirst().tokens()).boxed().toList());
  }

  @Test
  void closesWhileReadingAheadAndRefusesToGoOn() {
    RankShare share = new RankShare(0, 1, 1, PER_STEP);
    BatchStream stream = BatchStream.open(order, share, DataState.START);
    stream.next();
    stream.close();
    stream.close();
    assertThatThrownBy(stream::next).hasMessageContaining("after the stream was closed");
    assertThatThrownBy(stream::next).hasMessageContaining("after the stream was closed");
  }

  @Test
  void validationCoversTheFirstSequencesOnceOnAnyNumberOfRanks() {
    for (long limit : new long[] {1, 7, 24, Long.MAX_VALUE}) {
      List<Long> expected = validation(limit, 1, 1);
      assertThat(validation(limit, 2, 4)).isEqualTo(expected);
      assertThat(validation(limit, 3, 1)).isEqualTo(expected);
      long used = Math.min(limit, sequences.count());
      assertThat(expected).hasSize((int) used * LENGTH);
    }
    assertThatThrownBy(() -> new ValidationBatches(sequences, 0, 0, 1, 1))
        .hasMessageContaining("validation on 0 sequences");
  }

  @Test
  void rowsBeyondTheValidationDataHaveNoTargets() {
    ValidationBatches last = new ValidationBatches(sequences, 5, 1, 2, 2);
    assertThat(last.count()).isEqualTo(2);
    MicroBatch batch = last.read(1);
    assertThat(batch.realTargets()).isZero();
    assertThat(batch.targets()).containsOnly(MicroBatch.MASKED);
    assertThatThrownBy(() -> last.read(2)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void refusesValidationWithoutTargets(@TempDir Path data) throws IOException {
    TokenShards shards =
        Corpora.shards(data, ByteEncoders.digits(), List.of("abcdefgh", "ijklmno1"));
    StreamSequences masked =
        StreamSequences.of(
            DocumentSubset.of(shards, DocumentSplit.NONE, SplitPart.TRAIN), 4, false);
    assertThat(new ValidationBatches(masked, 9, 0, 1, 1).sequences()).isEqualTo(4);
    assertThatThrownBy(() -> new ValidationBatches(masked, 2, 0, 1, 1))
        .hasMessageContaining("none of the first 2 sequences held out for validation has a token")
        .hasMessageContaining("validation.sequences");
  }

  /** Targets of all used sequences in order, put together from every rank's micro-batches. */
  private static List<Long> validation(long limit, int ranks, int microBatch) {
    List<Long> targets = new ArrayList<>();
    List<ValidationBatches> all = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      all.add(new ValidationBatches(sequences, limit, rank, ranks, microBatch));
    }
    for (int i = 0; i < all.getFirst().count(); i++) {
      for (ValidationBatches rank : all) {
        Arrays.stream(rank.read(i).targets()).forEach(targets::add);
      }
    }
    int used = (int) all.getFirst().sequences() * LENGTH;
    assertThat(targets.subList(used, targets.size())).allMatch(t -> t == MicroBatch.MASKED);
    return targets.subList(0, used);
  }

  private static List<List<Long>> steps(int ranks, int microBatch) {
    List<BatchStream> streams = new ArrayList<>();
    List<List<Long>> steps = new ArrayList<>();
    try {
      for (int rank = 0; rank < ranks; rank++) {
        RankShare share = new RankShare(rank, ranks, microBatch, PER_STEP);
        streams.add(BatchStream.open(order, share, DataState.START));
      }
      for (int step = 0; step < STEPS; step++) {
        List<Long> together = new ArrayList<>();
        for (BatchStream stream : streams) {
          together.addAll(content(stream.next()));
        }
        steps.add(together);
      }
    } finally {
      streams.forEach(BatchStream::close);
    }
    return steps;
  }

  private static List<Long> content(StepBatch batch) {
    List<Long> content = new ArrayList<>();
    for (MicroBatch micro : batch.microBatches()) {
      for (int i = 0; i < micro.tokens().length; i++) {
        content.add(micro.tokens()[i] << 16 ^ micro.targets()[i]);
      }
    }
    return content;
  }
}
