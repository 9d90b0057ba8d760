package dev.duoka.data.overlap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.shard.TokenCache;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.training.TrainingForm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OverlapTests {
  private static final ByteTokenizer BYTES = new ByteTokenizer();
  private static final DocumentSplit HALF = new DocumentSplit(5, 0.5);

  @TempDir Path folder;

  private final Random random = new Random(11);

  /** A text of words that no other has. */
  private String text(int words) {
    return IntStream.range(0, words)
        .mapToObj(_ -> Integer.toString(random.nextInt(1 << 30), 36))
        .collect(Collectors.joining(" "));
  }

  private OverlapSource source(String name, List<String> texts, boolean trained)
      throws IOException {
    return source(name, texts, trained ? DocumentSplit.NONE : null);
  }

  private OverlapSource source(String name, List<String> texts, @Nullable DocumentSplit split)
      throws IOException {
    StringBuilder lines = new StringBuilder();
    texts.forEach(
        text -> lines.append("{\"text\":\"").append(text.replace("\n", "\\n")).append("\"}\n"));
    Path file = Files.writeString(folder.resolve(name + ".jsonl"), lines);
    List<SourceSpec> files = List.of(SourceSpec.of(file.toString()));
    try (Corpus corpus = Corpus.open(files)) {
      TokenShards shards =
          new TokenCache(folder.resolve("cache"))
              .open(
                  corpus,
                  new TrainingForm.Text(BYTES, 16, false).encoder(),
                  TokenisationListener.SILENT);
      return new OverlapSource(
          name,
          files,
          shards,
          split == null
              ? _ -> SplitPart.VALIDATION
              : document -> split.partOf(shards.documentHash(document)),
          split != null,
          String.valueOf(split));
    }
  }

  private Overlap overlap(Duplicates duplicates, OverlapSource... sources) {
    return Overlap.of(
        List.of(sources),
        BYTES,
        duplicates,
        false,
        true,
        folder.resolve("cache"),
        TokenisationListener.SILENT);
  }

  @Test
  void theSearchForLeaksCanBeLeftOutAndIsNotRemembered() throws IOException {
    List<String> texts = texts(20, 30);
    OverlapSource trained = source("code", texts, DocumentSplit.NONE);
    OverlapSource held = source("held", texts.subList(3, 5), null);
    Overlap without =
        Overlap.of(
            List.of(trained, held),
            BYTES,
            Duplicates.KEEP,
            false,
            false,
            folder.resolve("cache"),
            TokenisationListener.SILENT);
    assertThat(without.report().heldOut()).isZero();
    assertThat(overlap(Duplicates.KEEP, trained, held).report().same()).isEqualTo(2);
  }

  @Test
  void aLongSearchSaysHowFarItIs() throws IOException {
    List<long[]> told = new ArrayList<>();
    TokenisationListener listener =
        new TokenisationListener() {
          @Override
          public void progress(TokenisationProgress progress) {}

          @Override
          public void comparing(long done, long total) {
            told.add(new long[] {done, total});
          }

          @Override
          public void notice(String message) {}
        };
    List<OverlapSource> sources =
        List.of(
            source("code", texts(20, 30), DocumentSplit.NONE), source("held", texts(3, 30), null));
    List<long[]> hashes = sources.stream().map(it -> ContentHashes.of(it.shards())).toList();
    new LeakSearch(sources, BYTES, listener, PassageTable.MOST).run(hashes);
    assertThat(told).as("a short one is not shown").isEmpty();
    new LeakSearch(sources, BYTES, listener, PassageTable.MOST, 0).run(hashes);
    assertThat(told).isNotEmpty();
    assertThat(told.getFirst()[0]).isPositive().isLessThanOrEqualTo(told.getFirst()[1]);
  }

  private List<String> texts(int count, int words) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      texts.add(text(words));
    }
    return texts;
  }

  @Test
  void copiesAreCountedNamedAndOnTheSideOfTheFirst() throws IOException {
    List<String> code = texts(30, 20);
    code.add(code.get(4));
    code.addAll(Collections.nCopies(20, code.get(7)));
    List<String> math = texts(10, 20);
    math.add(2, code.get(9));
    math.add(text(20) + " ");
    OverlapSource first = source("code", code, HALF);
    OverlapSource second = source("math", math, HALF);
    Overlap overlap = overlap(Duplicates.KEEP, first, second);
    assertThat(overlap.report().copies())
        .containsExactly(
            new OverlapReport.SourceCopies("code", 21, 0),
            new OverlapReport.SourceCopies("math", 1, 1));
    assertThat(overlap.report().copyPlaces()).hasSize(10);
    assertThat(overlap.report().copyPlaces().getFirst())
        .endsWith("code.jsonl line 31 is the same as " + folder.resolve("code.jsonl line 5"));
    for (int copy = 31; copy < 51; copy++) {
      assertThat(overlap.sides(0).of(copy)).isEqualTo(first.sides().of(7));
    }
    assertThat(overlap.sides(1).of(2)).isEqualTo(first.sides().of(9));
    // By their ids alone they would be on both.
    assertThat(IntStream.range(31, 51).mapToObj(first.sides()::of).distinct()).hasSize(2);
    for (int document = 0; document < 30; document++) {
      assertThat(overlap.sides(0).of(document)).isEqualTo(first.sides().of(document));
    }
    assertThat(overlap.report().same()).isZero();
    assertThat(overlap.report().heldOut()).isPositive();
  }

  @Test
  void copiesAreLeftOutOrRefusedWhereThatIsWanted() throws IOException {
    List<String> texts = texts(20, 20);
    texts.add(texts.get(3));
    OverlapSource source = source("twice", texts, true);
    Overlap dropped = overlap(Duplicates.DROP, source);
    assertThat(dropped.sides(0).of(20)).isNull();
    assertThat(dropped.sides(0).of(3)).isEqualTo(SplitPart.TRAIN);
    for (int again = 0; again < 2; again++) {
      assertThatThrownBy(() -> overlap(Duplicates.REFUSE, source))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("1 documents are the same as earlier ones: twice 1")
          .hasMessageContaining("twice.jsonl line 21 is the same as");
    }
    OverlapSource clean = source("once", texts(20, 20), true);
    assertThat(overlap(Duplicates.REFUSE, clean).report().lines(Duplicates.REFUSE, false))
        .isEmpty();
  }

  @Test
  void heldOutTextThatIsTrainedOnIsFound() throws IOException {
    List<String> trained = texts(300, 60);
    List<String> held = texts(40, 60);
    held.set(3, trained.get(100)); // the same
    held.set(8, "  " + trained.get(7).toUpperCase().replace(" ", "  ")); // nearly
    String[] words = trained.get(200).split(" ");
    held.set(20, text(3) + " " + String.join(" ", List.of(words).subList(0, 55))); // most of it
    held.set(21, text(40) + " " + String.join(" ", List.of(words).subList(0, 20))); // a little
    held.set(22, trained.get(5).substring(0, 70)); // too short to be judged
    OverlapSource corpus = source("corpus", trained, true);
    OverlapSource test = source("test", held, false);
    OverlapReport report = overlap(Duplicates.KEEP, corpus, test).report();
    // A source that is for validation alone is held out, whatever is trained on.
    assertThat(report.same()).isEqualTo(1);
    assertThat(report.nearlySame()).isEqualTo(1);
    assertThat(report.passages()).isEqualTo(1);
    assertThat(report.heldOut()).isEqualTo(40);
    assertThat(report.judged()).isEqualTo(39);
    assertThat(report.leakPlaces())
        .containsExactly(
            place("test", 4) + " is trained on as " + place("corpus", 101),
            place("test", 9)
                + " is trained on as "
                + place("corpus", 8)
                + ", but for case and white space",
            place("test", 21)
                + " is trained on as "
                + place("corpus", 201)
                + ", among others: 93 %");
    assertThat(report.lines(Duplicates.KEEP, false))
        .anyMatch(line -> line.startsWith("3 of 40 held-out documents are trained on"));
  }

  private String place(String source, int line) {
    return folder.resolve(source + ".jsonl") + " line " + line;
  }

  /** A licence in each file, a system prompt in each chat. */
  @Test
  void whatAllDocumentsBeginWithIsNoLeak() throws IOException {
    String licence = text(200);
    List<String> trained = texts(50, 30).stream().map(text -> licence + " " + text).toList();
    List<String> held = texts(10, 30).stream().map(text -> licence + " " + text).toList();
    OverlapReport report =
        overlap(Duplicates.KEEP, source("corpus", trained, true), source("test", held, false))
            .report();
    assertThat(report.leaks()).isZero();
    assertThat(report.judged()).isEqualTo(10);
  }

  @Test
  void aSmallTableFindsTheSameBySampling() throws IOException {
    List<String> trained = texts(60, 900);
    List<String> held = texts(30, 900);
    for (int i = 0; i < 10; i++) {
      held.set(3 * i, text(50) + " " + trained.get(5 * i));
    }
    List<OverlapSource> sources =
        List.of(source("corpus", trained, true), source("test", held, false));
    List<long[]> hashes =
        sources.stream().map(source -> ContentHashes.of(source.shards())).toList();
    LeakSearch.Found whole =
        new LeakSearch(sources, BYTES, TokenisationListener.SILENT, 1 << 20).run(hashes);
    LeakSearch.Found sampled =
        new LeakSearch(sources, BYTES, TokenisationListener.SILENT, 1500).run(hashes);
    assertThat(whole.leaks()).hasSize(10).allMatch(leak -> leak.kind() == Leak.Kind.PASSAGES);
    assertThat(sampled.leaks())
        .extracting(Leak::heldOut)
        .isEqualTo(whole.leaks().stream().map(Leak::heldOut).toList());
    assertThat(sampled.judged()).isEqualTo(30);
    assertThat(new LeakSearch(sources, BYTES, TokenisationListener.SILENT, 1500).run(hashes))
        .isEqualTo(sampled);
  }

  @Test
  void whatWasFoundIsKeptUntilTheDataChanges() throws IOException {
    List<String> trained = texts(20, 40);
    OverlapSource corpus = source("corpus", trained, true);
    OverlapSource test = source("test", List.of(trained.get(3)), false);
    OverlapReport first = overlap(Duplicates.KEEP, corpus, test).report();
    Files.delete(folder.resolve("corpus.jsonl")); // so that names could not be found again
    assertThat(overlap(Duplicates.KEEP, corpus, test).report()).isEqualTo(first);
    assertThat(first.leakPlaces()).allMatch(place -> place.contains("corpus.jsonl line 4"));
    OverlapSource other = source("test", List.of(trained.get(4), text(40)), false);
    OverlapReport second = overlap(Duplicates.KEEP, corpus, other).report();
    assertThat(second.heldOut()).isEqualTo(2);
    assertThat(second.leakPlaces()).allMatch(place -> place.endsWith("corpus document 5"));
  }
}
