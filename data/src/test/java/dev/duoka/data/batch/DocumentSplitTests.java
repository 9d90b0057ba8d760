package dev.duoka.data.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.data.shard.ByteEncoders;
import dev.duoka.data.shard.Corpora;
import dev.duoka.data.shard.TokenShards;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DocumentSplitTests {
  private static final List<String> TEXTS = Corpora.texts(4, 3000, 12);

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(doubles = {0, 0.01, 0.1, 0.5})
  void holdsOutTheFraction(double fraction) throws IOException {
    TokenShards shards = Corpora.shards(folder, ByteEncoders.plain(), TEXTS);
    DocumentSplit split = new DocumentSplit(1, fraction);
    DocumentSubset train = DocumentSubset.of(shards, split, SplitPart.TRAIN);
    DocumentSubset held = DocumentSubset.of(shards, split, SplitPart.VALIDATION);
    assertThat(train.documents() + held.documents()).isEqualTo(TEXTS.size());
    assertThat(train.tokens() + held.tokens()).isEqualTo(shards.tokens());
    double deviation = Math.sqrt(fraction * (1 - fraction) / TEXTS.size());
    assertThat(held.documents() / (double) TEXTS.size())
        .isBetween(fraction - 5 * deviation, fraction + 5 * deviation);
  }

  @Test
  void documentsKeepTheirSideWhenOthersComeAndGo() throws IOException {
    DocumentSplit split = new DocumentSplit(1, 0.3);
    TokenShards all = Corpora.shards(folder, ByteEncoders.plain(), TEXTS);
    Path other = Files.createDirectories(folder.resolve("other"));
    TokenShards fewer = Corpora.shards(other, ByteEncoders.wide(), TEXTS.subList(0, 1000));
    for (long i = 0; i < fewer.documents(); i++) {
      assertThat(split.partOf(fewer.documentHash(i))).isEqualTo(split.partOf(all.documentHash(i)));
    }
  }

  @Test
  void anotherSeedHoldsOutOthers() throws IOException {
    TokenShards shards = Corpora.shards(folder, ByteEncoders.plain(), TEXTS);
    assertThat(held(shards, 1)).isNotEqualTo(held(shards, 2)).isEqualTo(held(shards, 1));
  }

  @Test
  void theSubsetReadsAsTheStreamOfItsDocuments() throws IOException {
    TokenShards shards = Corpora.shards(folder, ByteEncoders.plain(), TEXTS);
    for (double fraction : new double[] {0, 0.002, 0.5, 0.99}) {
      for (SplitPart part : SplitPart.values()) {
        DocumentSubset subset = DocumentSubset.of(shards, new DocumentSplit(3, fraction), part);
        List<DocumentSubset.Place> places = new ArrayList<>();
        for (long document = 0; document < shards.documents(); document++) {
          for (long i = 0; subset.contains(document) && i < shards.documentLength(document); i++) {
            places.add(new DocumentSubset.Place(document, i));
          }
        }
        assertThat(subset.tokens()).isEqualTo(places.size());
        Random random = new Random(8);
        for (int i = 0; i < 500 && !places.isEmpty(); i++) {
          int position = i == 0 ? 0 : i == 1 ? places.size() - 1 : random.nextInt(places.size());
          assertThat(subset.find(position)).isEqualTo(places.get(position));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {-0.1, 1, Double.NaN})
  void refusesFractions(double fraction) {
    assertThatThrownBy(() -> new DocumentSplit(1, fraction))
        .hasMessageContaining("a validation fraction of " + fraction + " cannot be");
  }

  private static Set<Long> held(TokenShards shards, long seed) {
    DocumentSplit split = new DocumentSplit(seed, 0.3);
    Set<Long> held = new HashSet<>();
    for (long i = 0; i < shards.documents(); i++) {
      if (split.partOf(shards.documentHash(i)) == SplitPart.VALIDATION) {
        held.add(i);
      }
    }
    return held;
  }
}
