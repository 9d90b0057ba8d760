package dev.duoka.data.shard;

import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.SourceSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Small corpora for tests. */
public final class Corpora {
  private Corpora() {}

  /** Random letters: {@code count} documents of up to {@code longest} characters. */
  public static List<String> texts(long seed, int count, int longest) {
    Random random = new Random(seed);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int length = 1 + random.nextInt(longest);
      StringBuilder text = new StringBuilder();
      for (int j = 0; j < length; j++) {
        text.append((char) ((random.nextBoolean() ? 'a' : 'A') + random.nextInt(26)));
      }
      texts.add(text.toString());
    }
    return texts;
  }

  /** One line of JSON for each text. */
  public static Path write(Path file, List<String> texts) throws IOException {
    StringBuilder lines = new StringBuilder();
    texts.forEach(text -> lines.append("{\"text\":\"").append(text).append("\"}\n"));
    return Files.writeString(file, lines);
  }

  /** A corpus of one file. */
  public static Corpus open(Path file) {
    return Corpus.open(List.of(SourceSpec.of(file.toString())));
  }

  /** Tokenises and maps files, one after another. */
  public static TokenShards shards(Path cache, DocumentEncoder encoder, Path... files) {
    List<SourceSpec> specs =
        Arrays.stream(files).map(file -> SourceSpec.of(file.toString())).toList();
    try (Corpus corpus = Corpus.open(specs)) {
      return new TokenCache(cache, 1 << 10, 2).open(corpus, encoder, TokenisationListener.SILENT);
    }
  }

  /** Writes, tokenises and maps texts, in files so small that there are many. */
  public static TokenShards shards(Path folder, DocumentEncoder encoder, List<String> texts)
      throws IOException {
    Path file = write(folder.resolve("corpus.jsonl"), texts);
    try (Corpus corpus = open(file)) {
      return new TokenCache(folder.resolve("cache"), 1 << 10, 2)
          .open(corpus, encoder, TokenisationListener.SILENT);
    }
  }
}
