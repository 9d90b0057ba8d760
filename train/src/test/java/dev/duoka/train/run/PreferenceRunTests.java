package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.preference.ReferenceFile;
import dev.duoka.train.run.SmallRun.Listener;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs on pairs of answers, of which those with a y are preferred. */
class PreferenceRunTests {
  private static final double LN_2 = Math.log(2);

  @TempDir Path folder;

  private RunConfig config(String... overrides) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int pair = 0; pair < 24; pair++) {
      lines.append(
          "{\"prompt\": \"q%d\", \"chosen\": \"%s\", \"rejected\": \"%s\"}%n"
              .formatted(pair, "yes".repeat(1 + pair % 3), "no".repeat(1 + pair % 2)));
    }
    Path file = Files.writeString(folder.resolve("pairs.jsonl"), lines);
    String run =
        """
        model: {preset: tiny-v3, overrides: {num_nextn_predict_layers: 0}}
        data:
          sources: [%s]
          format: pairs
          chat_template: plain
          sequence_length: 48
          validation_fraction: 0.2
          cache: %s
        training: {tokens_per_step: 384, micro_batch: 4, steps: 6}
        optimizer: {learning_rate: 1e-3}
        schedule: {kind: constant}
        preference: {beta: 0.5}
        validation: {every_steps: 3, sequences: 4}
        device: cpu
        threads: 1
        """
            .formatted(file, folder.resolve("cache"));
    return RunFile.parse("pairs.yaml", run, List.of(overrides));
  }

  private Listener run(String name, RunConfig config, long maxSteps, boolean resume) {
    Listener listener = new Listener();
    SmallRun.run(config, folder.resolve(name), listener, maxSteps, resume);
    return listener;
  }

  @Test
  void startsAtLogarithmOfTwoAndLearnsWhatIsPreferred() throws IOException {
    Listener listener = run("whole", config(), 0, false);
    StepMetrics first = listener.steps.getFirst();
    assertThat(first.loss()).isCloseTo(LN_2, within(1e-6));
    assertThat(first.preference())
        .containsKeys("reward_chosen", "reward_rejected", "loss_of_chosen", "accuracy");
    // The reference has the same weights; in batches of another size some processors round
    // otherwise.
    assertThat(first.preference().get("reward_margin")).isCloseTo(0, within(1e-6));
    StepMetrics last = listener.steps.getLast();
    assertThat(last.loss()).isLessThan(LN_2);
    assertThat(last.preference().get("reward_margin")).isPositive();
    assertThat(listener.validations.getLast().numbers().get("accuracy")).isGreaterThan(0.5);
  }

  @Test
  void goesOnWithTheReferenceThatItBeganWith() throws IOException {
    List<Double> whole = run("whole", config(), 0, false).losses();
    run("halves", config(), 3, false);
    List<Double> rest = run("halves", config(), 0, true).losses();
    assertThat(rest).isEqualTo(whole.subList(3, 6));

    run("lost", config(), 3, false);
    Files.delete(folder.resolve("lost").resolve(ReferenceFile.NAME));
    assertThatThrownBy(() -> run("lost", config(), 0, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(ReferenceFile.NAME)
        .hasMessageContaining("is missing");
  }

  /** The frozen base is there at any time: what it makes of the answers can be found again. */
  @Test
  void anAdaptersBaseIsAReferenceThatIsNeverLost() throws IOException {
    RunConfig config = config("adapter={rank: 4, dropout: 0.1}", "preference.reference=base");
    List<Double> whole = run("whole", config, 0, false).losses();
    assertThat(whole.getFirst()).isCloseTo(LN_2, within(1e-6));
    run("halves", config, 3, false);
    Files.delete(folder.resolve("halves").resolve(ReferenceFile.NAME));
    assertThat(run("halves", config, 0, true).losses()).isEqualTo(whole.subList(3, 6));
  }

  @Test
  void ranksShareTheReference() throws IOException {
    List<Double> one = run("one", config(), 0, false).losses();
    List<Double> two = run("two", config("parallel.data=2", "parallel.zero=1"), 0, false).losses();
    for (int step = 0; step < one.size(); step++) {
      assertThat(two.get(step)).as("step %s", step).isCloseTo(one.get(step), within(1e-4));
    }
  }

  /** Hears how far the references are. */
  private static final class Watching extends Listener {
    private final List<Long> done = new ArrayList<>();
    private final Set<Long> totals = new HashSet<>();
    private final boolean stops;

    Watching(boolean stops) {
      this.stops = stops;
    }

    @Override
    public void reached(String what, long reached, long total) {
      if (what.startsWith("the reference's view")) {
        done.add(reached);
        totals.add(total);
        if (stops) {
          stopTrainer();
        }
      }
    }
  }

  /** Sixteen micro-batches at a time, of which it takes two. */
  @Test
  void aStartThatIsStoppedIsGoneOnWith() throws IOException {
    RunConfig config = config("training.micro_batch=2");
    List<Double> whole =
        run(
                "whole",
                config("training.micro_batch=2", "data.cache=" + folder.resolve("other")),
                0,
                false)
            .losses();
    Watching stopped = new Watching(true);
    SmallRun.run(config, folder.resolve("stopped"), stopped, 0, false);
    assertThat(stopped.steps).isEmpty();
    assertThat(stopped.done).containsExactly(0L);

    Watching second = new Watching(false);
    SmallRun.run(config, folder.resolve("second"), second, 0, false);
    assertThat(second.done.getFirst()).isEqualTo(32);
    assertThat(second.losses()).isEqualTo(whole);

    Watching third = new Watching(false);
    SmallRun.run(config, folder.resolve("third"), third, 0, false);
    assertThat(third.done).as("all of it is known").isEmpty();
    assertThat(third.losses()).isEqualTo(whole);

    Watching other = new Watching(false);
    SmallRun.run(
        config("training.micro_batch=2", "training.seed=5"),
        folder.resolve("seed"),
        other,
        0,
        false);
    assertThat(other.done.getFirst()).as("of another model").isZero();
    assertThat(other.steps.getFirst().loss()).isCloseTo(LN_2, within(1e-6));
  }

  private RunConfig named(String ofFirst, String ofSecond) throws IOException {
    config();
    Path pairs = folder.resolve("pairs.jsonl");
    Path more = folder.resolve("more.jsonl");
    Files.writeString(more, Files.readString(pairs).replace("q", "another q"));
    return config(
        "data.sources=[{path: %s, name: a, validation_fraction: %s}, {path: %s, name: b, validation_fraction: %s}]"
            .formatted(pairs, ofFirst, more, ofSecond));
  }

  @Test
  void pairsThatAreHeldOutOfNamedSourcesAreComputedOnce() throws IOException {
    Watching listener = new Watching(false);
    SmallRun.run(named("0.2", "0.2"), folder.resolve("run"), listener, 0, false);
    assertThat(listener.totals).containsExactly(2L * 48);
    assertThat(listener.validations.getLast().numbers()).containsKeys("accuracy", "a", "b");
  }

  @Test
  void aRunIsRefusedWhosePairsStandElsewhereNow() throws IOException {
    run("run", named("0.2", "0.2"), 3, false);
    assertThatThrownBy(() -> run("run", named("0.4", "0.4"), 0, true))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("was computed from other pairs")
        .hasMessageContaining("validation fractions");
    assertThat(run("run", named("0.2", "0.2"), 0, true).steps).hasSize(3);
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThatThrownBy(() -> config("training.micro_batch=1"))
        .hasMessageContaining("divides a pair");
    assertThatThrownBy(() -> config("data.documents_apart=true"))
        .hasMessageContaining("data.documents_apart");
    assertThatThrownBy(() -> config("preference.reference=base"))
        .hasMessageContaining("there is no frozen base");
    assertThatThrownBy(() -> config("data.format=chat"))
        .hasMessageContaining("preference compares pairs of answers, but data.format is chat");
  }
}
