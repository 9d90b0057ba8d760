package dev.duoka.data.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.data.source.Corpus;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real processes: one that is killed, and several that race. */
class KilledTokenisationTests {
  private static final List<String> TEXTS = Corpora.texts(9, 20_000, 400);

  @TempDir Path folder;

  /** What a child process runs: opens the cache, and prints its tokens and notices. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      try (Corpus corpus = Corpora.open(Path.of(arguments[0]))) {
        System.out.println("start");
        TokenShards shards =
            new TokenCache(Path.of(arguments[1]), 1 << 16, 2)
                .open(
                    corpus,
                    ByteEncoders.plain(),
                    new TokenisationListener() {
                      @Override
                      public void progress(TokenisationProgress progress) {
                        if (progress.done()) {
                          System.out.println("tokenised");
                        }
                      }

                      @Override
                      public void notice(String message) {
                        System.out.println("notice " + message);
                      }
                    });
        System.out.println("tokens " + shards.tokens());
      }
    }
  }

  @Test
  void aKillAtAnyInstantLeavesNothingHalfValid() throws Exception {
    Path file = Corpora.write(folder.resolve("corpus.jsonl"), TEXTS);
    Path cache = folder.resolve("cache");
    Random random = new Random(2);
    int killedEarly = 0;
    for (int i = 0; i < 6; i++) {
      Process child = start(file, cache);
      assertThat(child.inputReader().readLine()).isEqualTo("start");
      TimeUnit.MILLISECONDS.sleep(random.nextInt(120));
      child.destroyForcibly().waitFor();
      for (Path complete : completeFolders(cache)) {
        TokenShards.open(complete, complete.getFileName().toString());
      }
      killedEarly += completeFolders(cache).isEmpty() ? 1 : 0;
    }
    assertThat(killedEarly).isPositive();
    List<String> notices = new ArrayList<>();
    try (Corpus corpus = Corpora.open(file)) {
      TokenShards shards =
          new TokenCache(cache, 1 << 16, 2)
              .open(
                  corpus,
                  ByteEncoders.plain(),
                  new TokenisationListener() {
                    @Override
                    public void progress(TokenisationProgress progress) {}

                    @Override
                    public void notice(String message) {
                      notices.add(message);
                    }
                  });
      assertThat(shards.tokens()).isEqualTo(expectedTokens());
    }
    assertThat(notices).isEmpty();
    try (Stream<Path> entries = Files.list(cache)) {
      assertThat(entries).hasSize(2);
    }
  }

  @Test
  void processesThatRaceShareOneResult() throws Exception {
    Path file = Corpora.write(folder.resolve("corpus.jsonl"), TEXTS);
    List<Process> children = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      children.add(start(file, folder.resolve("cache")));
    }
    int tokenised = 0;
    for (Process child : children) {
      List<String> lines = child.inputReader().readAllLines();
      assertThat(child.waitFor()).isZero();
      assertThat(lines.getLast()).isEqualTo("tokens " + expectedTokens());
      tokenised += lines.contains("tokenised") ? 1 : 0;
    }
    assertThat(tokenised).isEqualTo(1);
  }

  private static long expectedTokens() {
    return TEXTS.stream().mapToLong(text -> text.length() + 1L).sum();
  }

  private static List<Path> completeFolders(Path cache) throws IOException {
    if (!Files.exists(cache)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(cache)) {
      return entries
          .filter(Files::isDirectory)
          .filter(p -> !p.getFileName().toString().startsWith("."))
          .toList();
    }
  }

  private static Process start(Path file, Path cache) throws IOException {
    String paths =
        Stream.of("java.class.path", "jdk.module.path")
            .map(name -> System.getProperty(name, ""))
            .filter(path -> !path.isEmpty())
            .reduce((a, b) -> a + File.pathSeparator + b)
            .orElseThrow();
    // Where tests run on the module path, their classes are patched in and named nowhere.
    String tests = Path.of(System.getProperty("basedir"), "target", "test-classes").toString();
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            tests + File.pathSeparator + paths,
            Child.class.getName(),
            file.toString(),
            cache.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }
}
