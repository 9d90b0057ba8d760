package dev.duoka.data.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.Document;
import dev.duoka.data.source.SkipReason;
import dev.duoka.data.source.SourceSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenCacheTests {
  private static final List<String> TEXTS = Corpora.texts(5, 400, 60);

  @TempDir Path folder;

  private Path file = Path.of("");
  private final List<String> notices = new ArrayList<>();
  private final List<TokenisationProgress> reports = new ArrayList<>();
  private final TokenisationListener listener =
      new TokenisationListener() {
        @Override
        public void progress(TokenisationProgress progress) {
          reports.add(progress);
        }

        @Override
        public void notice(String message) {
          notices.add(message);
        }
      };

  @BeforeEach
  void writeCorpus() throws IOException {
    file = Corpora.write(folder.resolve("corpus.jsonl"), TEXTS);
  }

  @Test
  void stopsWhenAskedAndKeepsNothing() throws IOException {
    TokenisationListener stopping =
        new TokenisationListener() {
          @Override
          public void progress(TokenisationProgress progress) {}

          @Override
          public void notice(String message) {}

          @Override
          public boolean stopRequested() {
            return true;
          }
        };
    try (Corpus corpus = Corpora.open(file)) {
      assertThatThrownBy(() -> cache(2).open(corpus, ByteEncoders.plain(), stopping))
          .isInstanceOf(TokenisationStoppedException.class);
    }
    try (Stream<Path> left = Files.list(folder.resolve("cache"))) {
      assertThat(left).noneMatch(Files::isDirectory);
    }
  }

  @Test
  void theNameOfTheContentGoesByTheTokensAlone() throws IOException {
    String name = open(ByteEncoders.plain()).contentName();
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000));
    assertThat(open(ByteEncoders.plain()).contentName()).isEqualTo(name);
    Corpora.write(file, TEXTS.subList(1, TEXTS.size()));
    assertThat(open(ByteEncoders.plain()).contentName()).isNotEqualTo(name);
  }

  private TokenCache cache(int threads) {
    return new TokenCache(folder.resolve("cache"), 1 << 12, threads);
  }

  private TokenShards open(DocumentEncoder encoder) {
    try (Corpus corpus = Corpora.open(file)) {
      return cache(2).open(corpus, encoder, listener);
    }
  }

  @Test
  void givesBackEveryDocumentInOrder() {
    TokenShards shards = open(ByteEncoders.plain());
    check(shards, ByteEncoders.plain());
    assertThat(shards.hasLossMask()).isFalse();
    assertThat(reports.getLast().done()).isTrue();
    assertThat(reports.getLast().documents()).isEqualTo(TEXTS.size());
    assertThat(reports.getLast().tokens()).isEqualTo(shards.tokens());
    assertThat(notices).isEmpty();
  }

  @Test
  void storesLargeVocabulariesAndBeginningTokens() {
    TokenShards shards = open(ByteEncoders.wide());
    check(shards, ByteEncoders.wide());
    int[] first = new int[1];
    shards.copyTokens(0, first, 0, 1);
    assertThat(first[0]).isEqualTo(7);
  }

  @Test
  void storesLossMasks() {
    TokenShards shards = open(ByteEncoders.masked());
    check(shards, ByteEncoders.masked());
    assertThat(shards.hasLossMask()).isTrue();
    int count = (int) shards.tokens();
    int[] tokens = new int[count];
    boolean[] mask = new boolean[count];
    shards.copyTokens(0, tokens, 0, count);
    shards.copyLossMask(0, mask, 0, count);
    for (int i = 0; i < count; i++) {
      assertThat(mask[i]).isEqualTo(ByteEncoders.learned(tokens[i]));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void doesNotDependOnTheNumberOfThreads(int threads) throws IOException {
    List<String> many = Corpora.texts(6, 5000, 300);
    Path large = Corpora.write(folder.resolve("large.jsonl"), many);
    try (Corpus corpus = Corpora.open(large)) {
      TokenShards shards =
          new TokenCache(folder.resolve("cache"), 1 << 16, threads)
              .open(corpus, ByteEncoders.plain(), listener);
      check(shards, ByteEncoders.plain(), many);
    }
  }

  @Test
  void tokenisesOnce() {
    AtomicInteger calls = new AtomicInteger();
    TokenShards first = open(counting(calls));
    assertThat(calls).hasValue(TEXTS.size());
    TokenShards second = open(counting(calls));
    assertThat(calls).hasValue(TEXTS.size());
    assertThat(second.key()).isEqualTo(first.key());
    assertThat(second.tokens()).isEqualTo(first.tokens());
  }

  @Test
  void anotherEncoderOrOtherContentHasAnotherKey() throws IOException {
    TokenShards plain = open(ByteEncoders.plain());
    assertThat(open(ByteEncoders.wide()).key()).isNotEqualTo(plain.key());
    Corpora.write(file, TEXTS.subList(0, 10));
    TokenShards changed = open(ByteEncoders.plain());
    assertThat(changed.key()).isNotEqualTo(plain.key());
    assertThat(changed.documents()).isEqualTo(10);
  }

  @Test
  void namesDamagedFilesAndMakesThemAgain() throws IOException {
    TokenShards whole = open(ByteEncoders.masked());
    Path shards = folder.resolve("cache").resolve(whole.key());
    for (Path damaged : list(shards)) {
      String name = damaged.getFileName().toString();
      byte[] bytes = Files.readAllBytes(damaged);
      List<byte[]> damages = new ArrayList<>();
      damages.add(Arrays.copyOf(bytes, bytes.length - 1));
      damages.add(new byte[0]);
      byte[] flipped = bytes.clone();
      flipped[bytes.length / 3] ^= 1;
      if (!name.equals(ShardIndex.FILE_NAME)) {
        damages.add(flipped);
      }
      for (byte[] damage : damages) {
        notices.clear();
        Files.delete(damaged);
        Files.write(damaged, damage);
        check(open(ByteEncoders.masked()), ByteEncoders.masked());
        assertThat(notices).singleElement().asString().contains(name, "damaged", "again");
      }
      notices.clear();
      Files.delete(damaged);
      check(open(ByteEncoders.masked()), ByteEncoders.masked());
      assertThat(notices).singleElement().asString().contains(name + " is missing");
      assertThat(list(folder.resolve("cache"))).hasSize(2);
      if (damaged.toString().contains("tokens-00002")) {
        break;
      }
    }
  }

  @Test
  void leavesNothingBehindAFailure() throws IOException {
    DocumentEncoder failing =
        new TextDocumentEncoder(
            text -> {
              if (text.equals(TEXTS.get(300))) {
                throw new DuokaException(ErrorCode.DATA, "no such token", "");
              }
              return new int[] {1};
            },
            "failing",
            10,
            OptionalInt.empty(),
            0);
    assertThatThrownBy(() -> open(failing)).hasMessageContaining("line 301: no such token");
    assertThat(list(folder.resolve("cache")))
        .allSatisfy(path -> assertThat(path.toString()).endsWith(".lock"));
  }

  @Test
  void removesWhatAKilledProcessLeft() throws IOException {
    String key;
    try (Corpus corpus = Corpora.open(file)) {
      key = TokenCache.key(corpus, ByteEncoders.plain());
    }
    Path left = Files.createDirectories(folder.resolve("cache/.building-" + key + "-1234"));
    Files.write(left.resolve("tokens-00000.bin"), new byte[100]);
    check(open(ByteEncoders.plain()), ByteEncoders.plain());
    assertThat(left).doesNotExist();
  }

  @Test
  void threadsThatOpenTheSameDataTokeniseItOnce() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    try (ExecutorService pool = Executors.newFixedThreadPool(4)) {
      List<Callable<TokenShards>> tasks = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        tasks.add(() -> open(counting(calls)));
      }
      for (Future<TokenShards> shards : pool.invokeAll(tasks)) {
        check(shards.get(), ByteEncoders.plain());
      }
    }
    assertThat(calls).hasValue(TEXTS.size());
  }

  @Test
  void refusesTokenIdsOutsideTheVocabulary() {
    DocumentEncoder wrong =
        new TextDocumentEncoder(text -> new int[] {300}, "wrong", 257, OptionalInt.empty(), 256);
    assertThatThrownBy(() -> open(wrong))
        .hasMessageContaining("corpus.jsonl#1 was encoded to token id 300")
        .hasMessageContaining("vocabulary of 257");
  }

  @Test
  void refusesAnEmptyDataSetAndSaysWhatWasLeftOut() throws IOException {
    Files.writeString(file, "{\"text\":\"\"}\n{\"txt\":\"a\"}\n");
    SourceSpec spec = SourceSpec.of(file.toString()).withBadDocuments(BadDocuments.SKIP);
    try (Corpus corpus = Corpus.open(List.of(spec))) {
      assertThatThrownBy(() -> cache(1).open(corpus, ByteEncoders.plain(), listener))
          .hasMessageContaining("the data set is empty")
          .hasMessageContaining("left out: 1 without a text field, 1 empty");
    }
  }

  @Test
  void remembersWhatWasLeftOut() throws IOException {
    Files.writeString(file, "{\"text\":\"\"}\n{\"text\":\"a\"}\n");
    assertThat(open(ByteEncoders.plain()).skipped()).isEqualTo(Map.of(SkipReason.EMPTY, 1L));
    assertThat(notices).containsExactly("documents left out: 1 empty");
    assertThat(open(ByteEncoders.plain()).skipped()).isEqualTo(Map.of(SkipReason.EMPTY, 1L));
  }

  @Test
  void saysWhenTheFolderCannotBeWritten() throws IOException {
    Path occupied = Files.writeString(folder.resolve("occupied"), "");
    try (Corpus corpus = Corpora.open(file)) {
      assertThatThrownBy(
              () ->
                  new TokenCache(occupied.resolve("cache"))
                      .open(corpus, ByteEncoders.plain(), listener))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("cannot use the token cache " + occupied.resolve("cache"))
          .hasMessageContaining("choose another cache folder");
    }
  }

  @Test
  void readingOutsideTheTokensIsRefused() {
    TokenShards shards = open(ByteEncoders.plain());
    int[] into = new int[8];
    assertThatThrownBy(() -> shards.copyTokens(shards.tokens() - 4, into, 0, 8))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> shards.documentStart(shards.documents() + 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  private static DocumentEncoder counting(AtomicInteger calls) {
    DocumentEncoder plain = ByteEncoders.plain();
    return new DocumentEncoder() {
      @Override
      public EncodedDocument encode(Document document) {
        calls.incrementAndGet();
        return plain.encode(document);
      }

      @Override
      public String fingerprint() {
        return plain.fingerprint();
      }

      @Override
      public int vocabularySize() {
        return plain.vocabularySize();
      }

      @Override
      public boolean hasLossMask() {
        return plain.hasLossMask();
      }
    };
  }

  private static void check(TokenShards shards, DocumentEncoder encoder) {
    check(shards, encoder, TEXTS);
  }

  private static void check(TokenShards shards, DocumentEncoder encoder, List<String> texts) {
    assertThat(shards.documents()).isEqualTo(texts.size());
    for (int i = 0; i < texts.size(); i++) {
      int[] expected = encoder.encode(new Document("", texts.get(i))).tokens();
      assertThat(shards.documentLength(i)).isEqualTo(expected.length);
      int[] found = new int[expected.length];
      shards.copyTokens(shards.documentStart(i), found, 0, found.length);
      assertThat(found).isEqualTo(expected);
    }
    assertThat(shards.documentStart(texts.size())).isEqualTo(shards.tokens());
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    }
  }
}
