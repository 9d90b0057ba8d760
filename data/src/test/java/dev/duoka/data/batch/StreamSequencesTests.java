package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.data.shard.ByteEncoders;
import dev.duoka.data.shard.Corpora;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.TokenShards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StreamSequencesTests {
  private static final int END = ByteEncoders.END;
  private static final long NONE = MicroBatch.MASKED;

  @TempDir Path folder;

  @Test
  void everyTargetIsTheNextTokenOfTheSameDocument() throws IOException {
    StreamSequences sequences = sequences(ByteEncoders.plain(), List.of("ab", "cde", "f"), 4);
    // The stream: a b END c d e END f END. Two sequences of four, one token shared.
    assertThat(sequences.count()).isEqualTo(2);
    MicroBatch batch = read(sequences, 0, 1);
    assertThat(batch.tokens()).containsExactly('a', 'b', END, 'c', 'd', 'e', END, 'f');
    assertThat(batch.targets()).containsExactly('b', END, NONE, 'd', 'e', END, NONE, END);
    assertThat(batch.realTargets()).isEqualTo(6);
  }

  @Test
  void aLossMaskTakesTargetsAway() throws IOException {
    StreamSequences sequences = sequences(ByteEncoders.masked(), List.of("aB", "CdE"), 6);
    MicroBatch batch = read(sequences, 0);
    assertThat(batch.tokens()).containsExactly('a', 'B', END, 'C', 'd', 'E');
    assertThat(batch.targets()).containsExactly('B', END, NONE, NONE, 'E', END);
    assertThat(batch.realTargets()).isEqualTo(4);
  }

  @Test
  void everyTokenOfTheStreamIsATargetOnce() throws IOException {
    List<String> texts = Corpora.texts(12, 200, 30);
    StreamSequences sequences = sequences(ByteEncoders.plain(), texts, 16);
    long stream = texts.stream().mapToLong(text -> text.length() + 1L).sum();
    long targets = 0;
    StringBuilder read = new StringBuilder();
    for (long i = 0; i < sequences.count(); i++) {
      MicroBatch batch = read(sequences, i);
      targets += batch.realTargets();
      for (long token : batch.tokens()) {
        read.append(token == END ? '|' : (char) token);
      }
    }
    String expected = String.join("|", texts) + "|";
    assertThat(expected).startsWith(read);
    assertThat(stream - read.length()).isBetween(1L, 16L);
    // All but the first token of each document.
    long begun = read.substring(0, read.length() - 1).chars().filter(c -> c == '|').count();
    assertThat(targets).isBetween(read.length() - begun - 1, read.length() - begun);
  }

  @Test
  void theCutMovesWithItsKeyAndStaysInside() throws IOException {
    StreamSequences sequences = sequences(ByteEncoders.plain(), List.of("a".repeat(43)), 10);
    assertThat(sequences.count()).isEqualTo(4);
    StreamSequences moving = sequences(ByteEncoders.plain(), List.of("abcdefghijklmnopqrs"), 12);
    Set<Long> firsts = new HashSet<>();
    for (long key = 1; key < 200; key++) {
      Window window = new Window(12);
      moving.read(moving.count() - 1, key, window);
      firsts.add((long) window.tokens[0]);
    }
    // 20 tokens hold one sequence of 12 and its last target at 8 places.
    assertThat(firsts).hasSize(8);
  }

  @Test
  void refusesASequenceLongerThanTheData() {
    assertThatThrownBy(() -> sequences(ByteEncoders.plain(), List.of("ab", "cde"), 7))
        .hasMessageContaining("the train part of the data has 7 tokens in 2 of 2 documents")
        .hasMessageContaining("fewer than the 8 of one sequence")
        .hasMessageContaining("Lower data.sequence_length");
    assertThatThrownBy(() -> sequences(ByteEncoders.plain(), List.of("ab"), 0))
        .hasMessageContaining("a sequence length of 0 cannot be");
  }

  @Test
  void saysWhereDocumentsBeginThatAreApart() throws IOException {
    List<String> texts = List.of("abcd", "e", "fghij");
    StreamSequences apart = sequences(ByteEncoders.plain(), texts, 5, true);
    // Each text and its end: five tokens, two, six.
    assertThat(read(apart, 0, 1).documentStarts()).contains(List.of(List.of(0), List.of(0, 2)));
    StreamSequences seeing = sequences(ByteEncoders.plain(), texts, 5, false);
    assertThat(read(seeing, 0, 1).documentStarts()).isEmpty();
  }

  @Test
  void saysThatASplitLeftNoValidationData() throws IOException {
    TokenShards shards = Corpora.shards(folder, ByteEncoders.plain(), List.of("one document"));
    DocumentSubset held =
        DocumentSubset.of(shards, new DocumentSplit(1, 0.0001), SplitPart.VALIDATION);
    assertThatThrownBy(() -> StreamSequences.of(held, 4, false))
        .hasMessageContaining("the validation part of the data has 0 tokens in 0 of 1 documents")
        .hasMessageContaining("raise data.validation_fraction")
        .hasMessageContaining("by whole documents");
  }

  private StreamSequences sequences(DocumentEncoder encoder, List<String> texts, int length)
      throws IOException {
    return sequences(encoder, texts, length, false);
  }

  private StreamSequences sequences(
      DocumentEncoder encoder, List<String> texts, int length, boolean apart) throws IOException {
    TokenShards shards = Corpora.shards(folder, encoder, texts);
    return StreamSequences.of(
        DocumentSubset.of(shards, DocumentSplit.NONE, SplitPart.TRAIN), length, apart);
  }

  static MicroBatch read(SequenceSet sequences, long... indexes) {
    MicroBatch batch = new MicroBatch(indexes.length, sequences.length(), sequences.apart());
    Window window = new Window(sequences.length());
    for (int row = 0; row < indexes.length; row++) {
      sequences.read(indexes[row], 0, window);
      batch.fillRow(row, window);
    }
    return batch;
  }
}
