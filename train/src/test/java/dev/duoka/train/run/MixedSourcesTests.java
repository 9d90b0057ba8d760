package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.training.NamedSequences;
import dev.duoka.data.training.SourceReport;
import dev.duoka.data.training.TrainingData;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.run.SmallRun.Listener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs on several sources. */
class MixedSourcesTests {
  @TempDir Path folder;

  @BeforeEach
  void write() throws IOException {
    SmallRun.corpus(folder);
    Path few = Files.createDirectories(folder.resolve("few"));
    for (int i = 0; i < 6; i++) {
      Files.writeString(
          few.resolve("few" + i + ".txt"), "only a few words %d. ".formatted(i).repeat(3));
    }
    Files.writeString(
        folder.resolve("talk.jsonl"),
        "{\"messages\": [{\"role\": \"user\", \"content\": \"hm?\"}, {\"role\": \"assistant\","
            + " \"content\": \"yes\"}]}\n");
  }

  private RunConfig config(String sources, String... more) throws IOException {
    String[] all = Arrays.copyOf(more, more.length + 1);
    all[more.length] = "data.sources=" + sources.replace("@", folder.toString());
    return SmallRun.config(folder, all);
  }

  private static TrainingData open(RunConfig config) {
    return RunData.open(config, new ByteTokenizer(), TokenisationListener.SILENT);
  }

  private long caches() throws IOException {
    try (Stream<Path> entries = Files.list(folder.resolve("cache"))) {
      return entries.filter(Files::isDirectory).count();
    }
  }

  private static final String WEIGHTED =
      "[{path: @/corpus, weight: %s}, {path: '@/few', name: rest, weight: 1}]";

  @Test
  void eachSourceIsTokenisedOnceWhateverItsWeight() throws IOException {
    TrainingData data = open(config(WEIGHTED.formatted("3")));
    assertThat(caches()).isEqualTo(2);
    assertThat(data.training().shares()).hasToString("3:1");
    TrainingData other = open(config(WEIGHTED.formatted("0.5")));
    assertThat(other.training().shares()).hasToString("1:2");
    assertThat(other.identity().get("data.sources"))
        .isNotEqualTo(data.identity().get("data.sources"));
    open(
        config(
            "[{path: @/corpus}, {path: '@/few'}, {path: '@/talk.jsonl', format: chat,"
                + " validation_fraction: 0}]",
            "data.chat_template=plain"));
    assertThat(caches()).isEqualTo(3);
  }

  @Test
  void namesAloneChangeNeitherOrderNorValidation() throws IOException {
    TrainingData plain = open(config("[@/corpus, '@/few']"));
    TrainingData named = open(config("[{path: @/corpus, name: one}, '@/few']"));
    assertThat(plain.validationBySource()).isEmpty();
    assertThat(named.validationBySource()).extracting(NamedSequences::name).contains("one");
    assertThat(named.trainingTokens()).isEqualTo(plain.trainingTokens());
    assertThat(named.training().sets()).hasSize(1);
    assertThat(named.training().count()).isEqualTo(plain.training().count());
    ValidationBatches expected = batches(plain);
    ValidationBatches batches = batches(named);
    assertThat(batches.count()).isEqualTo(expected.count()).isGreaterThan(3);
    for (int i = 0; i < batches.count(); i++) {
      assertThat(batches.read(i).tokens()).isEqualTo(expected.read(i).tokens());
    }
  }

  private static ValidationBatches batches(TrainingData data) {
    assertThat(data.validation()).isNotNull();
    return new ValidationBatches(data.validation(), 1000, 0, 1, 2);
  }

  @Test
  void sourcesForValidationAloneLeaveTheRestToTraining() throws IOException {
    RunConfig config =
        config(
            "['@/corpus']",
            "data.validation_fraction=null",
            "data.validation_sources=[{path: '" + folder.resolve("few") + "', name: held}]");
    TrainingData data = open(config);
    assertThat(data.validationBySource()).extracting(NamedSequences::name).containsExactly("held");
    SourceReport corpus = data.report().sources().getFirst();
    assertThat(corpus.heldOut()).isZero();
    assertThat(data.training().count()).isEqualTo((corpus.tokens() - 1) / 32);
    assertThat(data.validation()).isSameAs(data.validationBySource().getFirst().sequences());
  }

  @Test
  void epochsOfASourceRepeatIt() throws IOException {
    TrainingData data =
        open(
            config(
                "[{path: @/corpus}, {path: '@/few', epochs: 3}]",
                "training.steps=null",
                "training.epochs=2"));
    long corpus = data.training().sets().get(0).count();
    long few = data.training().sets().get(1).count();
    assertThat(data.training().epochs(1, corpus + 3 * few)).isEqualTo(3);
    assertThat(data.training().epochs(0, corpus + 3 * few)).isEqualTo(1);
    assertThat(data.trainingTokens()).isEqualTo(32 * (corpus + 3 * few));
  }

  @Test
  void aMixedRunGoesOnAsIfItHadNotStopped() throws IOException {
    RunConfig config =
        config(WEIGHTED.formatted("1"), "training.steps=8", "checkpoint.every_steps=3");
    Listener whole = new Listener();
    SmallRun.run(config, folder.resolve("whole"), whole);
    Listener before = new Listener();
    SmallRun.run(config, folder.resolve("parts"), before, 3, false);
    Listener after = new Listener();
    SmallRun.run(config, folder.resolve("parts"), after, 8, true);
    assertThat(Stream.concat(before.losses().stream(), after.losses().stream()).toList())
        .isEqualTo(whole.losses());
    assertThat(whole.notices)
        .anyMatch(line -> line.startsWith("source") && line.contains("epochs"))
        .anyMatch(line -> line.startsWith("corpus") && line.contains("50.0 %"))
        .anyMatch(line -> line.startsWith("rest: this run passes over it"));
    assertThat(folder.resolve("whole/sources.json")).content().contains("\"share\" : 0.5");
    RunConfig changed = config(WEIGHTED.formatted("2"), "training.steps=8");
    assertThatThrownBy(
            () -> SmallRun.run(changed, folder.resolve("parts"), new Listener(), 8, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("data.sources is not what it was trained with");
  }

  @Test
  void aSourceThatIsNotThereIsNamedByItsPlaceInTheFile() throws IOException {
    RunConfig config = config("[{path: @/corpus, weight: 1}, {path: '@/nowhere', weight: 2}]");
    assertThat(RunChecks.problems(config))
        .singleElement()
        .satisfies(problem -> assertThat(problem.field()).isEqualTo("data.sources[1]"));
    assertThat(List.of(config.data().locations().get(1)))
        .allMatch(place -> place.endsWith("nowhere"));
  }

  /** Each source in the form that its template gives it; the run asks by the first. */
  @Test
  void sourcesMayHaveTemplatesOfTheirOwn() throws IOException {
    Path other =
        Files.writeString(
            folder.resolve("other.jinja"),
            "{%- for m in messages -%}[{{ m.role }}]{{ m.content }}{{ eos_token if m.role =="
                + " 'assistant' }}{%- endfor -%}{%- if add_generation_prompt -%}[assistant]"
                + "{%- endif -%}");
    Path more = Files.copy(folder.resolve("talk.jsonl"), folder.resolve("more.jsonl"));
    RunConfig config =
        config(
            "[{path: @/talk.jsonl, chat_template: plain}, {path: %s, chat_template: %s}]"
                .formatted(more, other),
            "data.format=chat",
            "data.validation_fraction=0",
            "data.find_leaks=false",
            "validation={every_steps: 0}");
    TrainingData data = open(config);
    List<String> texts =
        data.training().sets().stream()
            .map(set -> new ByteTokenizer().decode(set.sample(0).tokens(0, 20)))
            .toList();
    assertThat(texts.getFirst()).doesNotContain("[user]");
    assertThat(texts.get(1)).startsWith("[user]hm?[assistant]");
    assertThat(config.data().mainTemplate()).hasValue("plain");
    assertThatThrownBy(() -> config("[{path: @/few, chat_template: plain}]"))
        .hasMessageContaining("holds neither chats nor pairs");
  }
}
