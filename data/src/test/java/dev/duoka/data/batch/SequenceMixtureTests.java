package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.shard.ByteEncoders;
import dev.duoka.data.shard.Corpora;
import dev.duoka.data.shard.TokenShards;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Three sources of letters, digits and signs, so that each sequence shows where it is from. */
class SequenceMixtureTests {
  private static final int LENGTH = 15;
  private static final int PER_STEP = 12;
  private static final int STEPS = 60;

  @TempDir static Path folder;

  private static final List<TokenShards> SHARDS = new ArrayList<>();
  private static final List<SequenceSet> SETS = new ArrayList<>();
  private static TrainingOrder order;

  @BeforeAll
  static void tokenise() throws IOException {
    String[] kinds = {"abcdefghijklm", "0123456789", "!$%&()=?"};
    int[] counts = {300, 40, 12};
    Random random = new Random(6);
    for (int kind = 0; kind < kinds.length; kind++) {
      List<String> texts = new ArrayList<>();
      for (int i = 0; i < counts[kind]; i++) {
        StringBuilder text = new StringBuilder();
        for (int j = 0; j < 30 + i % 7; j++) {
          text.append(kinds[kind].charAt(random.nextInt(kinds[kind].length())));
        }
        texts.add(text.toString());
      }
      Path own = Files.createDirectory(folder.resolve("kind" + kind));
      SHARDS.add(Corpora.shards(own, ByteEncoders.plain(), texts));
      SETS.add(StreamSequences.of(all(SHARDS.getLast()), LENGTH, false));
    }
    order = new TrainingOrder(SequenceMixture.of(SETS, weights("5", "3", "2")), 77);
  }

  private static DocumentSubset all(TokenShards shards) {
    return DocumentSubset.of(shards, DocumentSplit.NONE, SplitPart.TRAIN);
  }

  private static List<BigDecimal> weights(String... texts) {
    return Arrays.stream(texts).map(BigDecimal::new).toList();
  }

  private static int kind(long[] tokens) {
    long letter = LongStream.of(tokens).filter(token -> token < 256).findFirst().orElseThrow();
    return letter >= 'a' ? 0 : Character.isDigit((char) letter) ? 1 : 2;
  }

  private static List<List<Long>> rows(TrainingOrder order, int ranks, DataState from, int steps) {
    List<List<Long>> rows = new ArrayList<>();
    DataState state = from;
    for (int step = 0; step < steps; step++) {
      DataState after = state;
      for (int rank = 0; rank < ranks; rank++) {
        StepBatch batch = BatchStream.read(order, new RankShare(rank, ranks, 2, PER_STEP), state);
        for (MicroBatch micro : batch.microBatches()) {
          for (int row = 0; row < micro.rows(); row++) {
            int start = row * LENGTH;
            rows.add(Arrays.stream(micro.tokens(), start, start + LENGTH).boxed().toList());
          }
        }
        after = batch.after();
      }
      state = after;
    }
    return rows;
  }

  private static int kind(List<Long> row) {
    return kind(row.stream().mapToLong(Long::longValue).toArray());
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "3", "6"})
  void stepsDoNotDependOnRanks(int ranks) {
    assertThat(rows(order, ranks, DataState.START, 12))
        .isEqualTo(rows(order, 1, DataState.START, 12));
  }

  @Test
  void everyStepHasItsSharesAndSmallSourcesComeAgain() {
    List<List<Long>> rows = rows(order, 1, DataState.START, STEPS);
    int[] seen = new int[3];
    Map<List<Long>, Integer> signs = new HashMap<>();
    double[] shares = {0.5, 0.3, 0.2};
    for (int k = 0; k < rows.size(); k++) {
      int kind = kind(rows.get(k));
      seen[kind]++;
      if (kind == 2) {
        signs.merge(rows.get(k), 1, Integer::sum);
      }
      for (int i = 0; i < shares.length; i++) {
        assertThat(Math.abs(seen[i] - shares[i] * (k + 1))).isLessThan(1);
      }
    }
    long own = SETS.get(2).count();
    assertThat(seen[2]).isGreaterThan((int) (4 * own));
    // In its first epoch each of its sequences came once: no other came before all had.
    List<List<Long>> first = rows.stream().filter(row -> kind(row) == 2).limit(own).toList();
    assertThat(new HashSet<>(first)).hasSameSizeAs(first);
  }

  @Test
  void resumesAtAnyStepExactly() {
    RankShare share = new RankShare(1, 2, 3, PER_STEP);
    List<String> straight = new ArrayList<>();
    List<DataState> states = new ArrayList<>();
    try (BatchStream stream = BatchStream.open(order, share, DataState.START)) {
      for (int i = 0; i < STEPS; i++) {
        StepBatch batch = stream.next();
        straight.add(content(batch));
        states.add(batch.after());
      }
    }
    for (int at = 0; at < STEPS - 1; at++) {
      assertThat(states.get(at)).isEqualTo(new DataState(0, (at + 1L) * PER_STEP));
      assertThat(content(BatchStream.read(order, share, states.get(at))))
          .isEqualTo(straight.get(at + 1));
    }
    try (BatchStream skipping =
        BatchStream.open(order, share, DataState.START, 0, steps -> steps == 3 ? 20 : 0)) {
      for (int i = 0; i < 3; i++) {
        assertThat(content(skipping.next())).isEqualTo(straight.get(i));
      }
      assertThat(content(skipping.next())).isEqualTo(straight.get(23));
    }
  }

  private static String content(StepBatch batch) {
    StringBuilder text = new StringBuilder();
    batch.microBatches().forEach(micro -> text.append(Arrays.toString(micro.tokens())));
    return text.toString();
  }

  @Test
  void aMixtureOfOneIsTheSetAlone() {
    SequenceSet alone = SETS.getFirst();
    TrainingOrder mixed = new TrainingOrder(SequenceMixture.of(List.of(alone), weights("0.3")), 5);
    assertThat(rows(mixed, 2, DataState.START, 100))
        .isEqualTo(rows(new TrainingOrder(alone, 5), 2, DataState.START, 100));
  }

  @Test
  void aStateOfAnotherOrderIsRefused() {
    assertThatThrownBy(() -> order.advance(new DataState(2, 3), 1))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("a mixture of 3 sources has no epochs");
  }

  @Test
  void repeatsGiveWholeEpochs() {
    List<BigDecimal> counts = new ArrayList<>();
    long round = 0;
    for (int set = 0; set < 3; set++) {
      counts.add(BigDecimal.valueOf((set + 1) * SETS.get(set).count()));
      round += (set + 1) * SETS.get(set).count();
    }
    MixtureRow row = new MixtureRow(SequenceMixture.of(SETS, counts).shares(), 1);
    row.seek(round);
    for (int set = 0; set < 3; set++) {
      assertThat(row.taken(set)).isEqualTo((set + 1) * SETS.get(set).count());
    }
  }

  @Test
  void spreadSequencesHaveEachOnceAndEvenly() {
    SequenceSet spread = SpreadSequences.of(SETS);
    assertThat(spread.count()).isEqualTo(SETS.stream().mapToLong(SequenceSet::count).sum());
    ValidationBatches batches = new ValidationBatches(spread, Long.MAX_VALUE, 0, 1, 1);
    Map<List<Long>, Integer> seen = new HashMap<>();
    int signs = 0;
    for (int i = 0; i < batches.count(); i++) {
      long[] tokens = batches.read(i).tokens();
      seen.merge(Arrays.stream(tokens).boxed().toList(), 1, Integer::sum);
      signs += kind(tokens) == 2 ? 1 : 0;
      double share = (double) SETS.get(2).count() / spread.count();
      assertThat(Math.abs(signs - (i + 1) * share)).isLessThan(1);
    }
    Map<List<Long>, Integer> expected = new HashMap<>();
    for (SequenceSet set : SETS) {
      ValidationBatches own = new ValidationBatches(set, Long.MAX_VALUE, 0, 1, 1);
      for (int i = 0; i < own.count(); i++) {
        expected.merge(Arrays.stream(own.read(i).tokens()).boxed().toList(), 1, Integer::sum);
      }
    }
    assertThat(seen).isEqualTo(expected);
  }

  /** Sources without weights are one row, as their files would be. */
  @Test
  void joinedShardsAreThoseOfAllFilesTogether() throws IOException {
    List<String> first = Corpora.texts(1, 50, 40);
    List<String> second = Corpora.texts(2, 70, 30);
    Path files = Files.createDirectories(folder.resolve("joined"));
    Corpora.write(files.resolve("a.jsonl"), first);
    Corpora.write(files.resolve("b.jsonl"), second);
    TokenShards whole =
        Corpora.shards(
            files.resolve("all"),
            ByteEncoders.masked(),
            files.resolve("a.jsonl"),
            files.resolve("b.jsonl"));
    TokenShards joined =
        TokenShards.joined(
            List.of(
                Corpora.shards(files.resolve("1"), ByteEncoders.masked(), files.resolve("a.jsonl")),
                Corpora.shards(
                    files.resolve("2"), ByteEncoders.masked(), files.resolve("b.jsonl"))));
    assertThat(joined.documents()).isEqualTo(whole.documents()).isEqualTo(120);
    for (long document = 0; document <= 120; document++) {
      assertThat(joined.documentStart(document)).isEqualTo(whole.documentStart(document));
    }
    int all = (int) whole.tokens();
    int[] expected = new int[all];
    int[] tokens = new int[all];
    boolean[] expectedMask = new boolean[all];
    boolean[] mask = new boolean[all];
    whole.copyTokens(0, expected, 0, all);
    joined.copyTokens(0, tokens, 0, all);
    whole.copyLossMask(0, expectedMask, 0, all);
    joined.copyLossMask(0, mask, 0, all);
    assertThat(tokens).isEqualTo(expected);
    assertThat(mask).isEqualTo(expectedMask);
    DocumentSplit split = new DocumentSplit(3, 0.2);
    for (SplitPart part : SplitPart.values()) {
      StreamSequences of = StreamSequences.of(DocumentSubset.of(whole, split, part), 20, false);
      StreamSequences ofJoined =
          StreamSequences.of(DocumentSubset.of(joined, split, part), 20, false);
      RankShare share = new RankShare(0, 1, 1, 30);
      assertThat(content(BatchStream.read(new TrainingOrder(ofJoined, 8), share, DataState.START)))
          .isEqualTo(content(BatchStream.read(new TrainingOrder(of, 8), share, DataState.START)));
    }
  }
}
