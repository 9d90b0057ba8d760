package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.data.shard.ByteEncoders;
import dev.duoka.data.shard.Corpora;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.TokenShards;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    assertThat(batch.segmentStarts()).containsExactly(0, 5, 7, 9);
    assertThat(batch.realTargets()).isEqualTo(7);
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
    assertThatThrownBy(() -> DocumentSequences.of(held, 8, 0))
        .hasMessageContaining("the validation part of the data has none of the 1 documents");
  }

  private DocumentSequences sequences(DocumentEncoder encoder, List<String> texts, int length)
      throws IOException {
    TokenShards shards = Corpora.shards(folder, encoder, texts);
    return DocumentSequences.of(
        DocumentSubset.of(shards, DocumentSplit.NONE, SplitPart.TRAIN), length, 0);
  }
}
