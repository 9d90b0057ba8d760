package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.data.batch.DocumentSequences.Packing;
import dev.duoka.data.shard.ByteEncoders;
import dev.duoka.data.shard.Corpora;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.TokenShards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DocumentSequencesTests {
  private static final int END = ByteEncoders.END;
  private static final long NONE = MicroBatch.MASKED;

  @TempDir Path folder;

  @Test
  void packsWholeDocumentsAndPads() throws IOException {
    // With their end tokens 3, 5 and 2 long: the longest takes the shortest beside it.
    DocumentSequences sequences = sequences(ByteEncoders.masked(), List.of("AB", "cDEF", "G"), 7);
    assertThat(sequences.count()).isEqualTo(2);
    assertThat(sequences.cutDocuments()).isZero();
    MicroBatch batch = StreamSequencesTests.read(sequences, 0, 1);
    assertThat(batch.tokens())
        .containsExactly('c', 'D', 'E', 'F', END, 'A', 'B', 'G', END, 0, 0, 0, 0, 0);
    assertThat(batch.targets())
        .containsExactly(
            'D', 'E', 'F', END, NONE, 'B', END, END, NONE, NONE, NONE, NONE, NONE, NONE);
    assertThat(batch.realTargets()).isEqualTo(7);
  }

  @Test
  void aSequenceHoldsOneDocumentUnlessTheyArePacked() throws IOException {
    DocumentSequences sequences =
        sequences(ByteEncoders.plain(), List.of("AB", "cDEF", "G"), 7, Packing.ONE_EACH);
    assertThat(sequences.count()).isEqualTo(3);
    MicroBatch batch = StreamSequencesTests.read(sequences, 0, 1, 2);
    assertThat(batch.tokens())
        .containsExactly(
            'A', 'B', END, 0, 0, 0, 0, 'c', 'D', 'E', 'F', END, 0, 0, 'G', END, 0, 0, 0, 0, 0);
    assertThat(batch.realTargets()).isEqualTo(2 + 4 + 1);
  }

  @Test
  void aLongDocumentKeepsItsLastAnswerAndWhatFitsBeforeIt() throws IOException {
    DocumentSequences sequences =
        sequences(ByteEncoders.digits(), List.of("abc12defgh345ij", "k6"), 5, Packing.ONE_EACH);
    assertThat(sequences.cutDocuments()).isEqualTo(1);
    MicroBatch batch = StreamSequencesTests.read(sequences, 0);
    assertThat(batch.tokens()).containsExactly('f', 'g', 'h', '3', '4');
    assertThat(batch.targets()).containsExactly(NONE, NONE, '3', '4', '5');
  }

  @Test
  void aLongDocumentThatWouldBeAllAnswerKeepsItsBeginning() throws IOException {
    DocumentSequences sequences =
        sequences(
            ByteEncoders.digits(),
            List.of("ab123456789", "abcdefgh123456789"),
            5,
            Packing.ONE_EACH);
    assertThat(StreamSequencesTests.read(sequences, 0).tokens())
        .containsExactly('a', 'b', '1', '2', '3');
    // Its beginning has nothing to learn, so the end of the answer is better than nothing.
    MicroBatch batch = StreamSequencesTests.read(sequences, 1);
    assertThat(batch.tokens()).containsExactly('4', '5', '6', '7', '8');
    assertThat(batch.realTargets()).isEqualTo(5);
  }

  @ParameterizedTest
  @EnumSource(Packing.class)
  void leavesOutAndCountsDocumentsWithNothingToLearn(Packing packing) throws IOException {
    // Nothing comes before the first token, so it cannot be learned.
    List<String> texts = List.of("abc", "d1", "efghijklm", "2no");
    DocumentSequences sequences = sequences(ByteEncoders.digits(), texts, 7, packing);
    assertThat(sequences.documentsWithoutTargets()).isEqualTo(3);
    assertThat(sequences.count()).isEqualTo(1);
    assertThat(StreamSequencesTests.read(sequences, 0).realTargets()).isEqualTo(1);
  }

  @Test
  void everySequenceHasATargetHoweverTheDocumentsAreCut() throws IOException {
    long seed = 77;
    Random random = new Random(seed);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(1, 60); length > 0; length--) {
        text.append(random.nextInt(9) == 0 ? '7' : 'x');
      }
      texts.add(text.toString());
    }
    for (Packing packing : Packing.values()) {
      DocumentSequences sequences = sequences(ByteEncoders.digits(), texts, 9, packing);
      assertThat(sequences.documentsWithoutTargets()).isPositive();
      assertThat(sequences.cutDocuments()).isPositive();
      for (long i = 0; i < sequences.count(); i++) {
        assertThat(StreamSequencesTests.read(sequences, i).realTargets())
            .as("sequence %d, %s, seed %d", i, packing, seed)
            .isPositive();
      }
    }
  }

  @Test
  void refusesDocumentsWithNothingToLearn() {
    assertThatThrownBy(
            () -> sequences(ByteEncoders.digits(), List.of("abc", "1d"), 7, Packing.ONE_EACH))
        .hasMessageContaining("none of the 2 documents in the train part of the data has a token")
        .hasMessageContaining("data.sequence_length");
  }

  @Test
  void everyDocumentIsThereOnceAndWhole() throws IOException {
    List<String> texts = Corpora.texts(21, 500, 60);
    DocumentSequences sequences = sequences(ByteEncoders.plain(), texts, 63);
    List<String> found = new ArrayList<>();
    for (long i = 0; i < sequences.count(); i++) {
      Window window = new Window(63);
      sequences.read(i, 0, window);
      StringBuilder document = new StringBuilder();
      for (int token : window.tokens) {
        if (token == END) {
          found.add(document.toString());
          document.setLength(0);
        } else if (token != 0) {
          document.append((char) token);
        }
      }
      assertThat(document).isEmpty();
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(texts);
    long tokens = texts.stream().mapToLong(text -> text.length() + 1L).sum();
    assertThat(sequences.count()).isBetween(tokens / 64, tokens / 64 * 105 / 100 + 1);
  }

  @Test
  void cutsAndCountsDocumentsThatAreTooLong() throws IOException {
    DocumentSequences sequences =
        sequences(ByteEncoders.plain(), List.of("abcdef", "gh", "ijklmnop"), 3);
    assertThat(sequences.cutDocuments()).isEqualTo(2);
    assertThat(sequences.count()).isEqualTo(3);
    MicroBatch batch = StreamSequencesTests.read(sequences, 0, 1, 2);
    assertThat(batch.tokens()).containsExactly('a', 'b', 'c', 'i', 'j', 'k', 'g', 'h', END);
    assertThat(batch.targets()).containsExactly('b', 'c', 'd', 'j', 'k', 'l', 'h', END, NONE);
  }

  @Test
  void refusesAPartWithoutDocuments() throws IOException {
    TokenShards shards = Corpora.shards(folder, ByteEncoders.plain(), List.of("x"));
    DocumentSubset held = DocumentSubset.of(shards, new DocumentSplit(1, 0), SplitPart.VALIDATION);
    assertThatThrownBy(() -> DocumentSequences.of(held, 8, 0, Packing.ONE_EACH, false))
        .hasMessageContaining("the validation part of the data has none of the 1 documents");
  }

  private DocumentSequences sequences(DocumentEncoder encoder, List<String> texts, int length)
      throws IOException {
    return sequences(encoder, texts, length, Packing.BEST_FIT);
  }

  private DocumentSequences sequences(
      DocumentEncoder encoder, List<String> texts, int length, Packing packing) throws IOException {
    TokenShards shards = Corpora.shards(folder, encoder, texts);
    return DocumentSequences.of(
        DocumentSubset.of(shards, DocumentSplit.NONE, SplitPart.TRAIN), length, 0, packing, false);
  }
}
