package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.duoka.tensor.Device;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.memory.LessMemory;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.memory.TooLittleMemoryException;
import dev.duoka.train.step.RankBuilder;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs whose ranks may hold only as much as one of their remedies was counted to need. */
class RemediedRunTests {
  private static final String LIMIT = "duoka.rankMemory";

  @TempDir Path folder;

  @AfterEach
  void noLimit() {
    System.clearProperty(LIMIT);
  }

  private static final class Listener extends SmallRun.Listener {
    private final List<List<String>> overrides = new ArrayList<>();

    @Override
    public void remedied(List<String> changed, String message) {
      overrides.add(changed);
      super.remedied(changed, message);
    }
  }

  private RunConfig config(String... more) throws IOException {
    List<String> overrides =
        new ArrayList<>(
            List.of(
                "data.sequence_length=128",
                "training={tokens_per_step: 2048, micro_batch: 8, steps: 3}",
                "validation.every_steps=0",
                "checkpoint={every_steps: 0}",
                "schedule.warmup_steps=0"));
    overrides.addAll(List.of(more));
    return SmallRun.config(folder, overrides.toArray(String[]::new));
  }

  /** What each rank of a run may hold, so that it has room for one of its remedies and not more. */
  private static void limit(RunConfig config, int way, double room) {
    StepMemory step =
        new StepMemory(
            new RankBuilder(config, ModelSource.config(config.model()), null).plan(0),
            Device.CPU,
            1,
            List.of(),
            false);
    long need = step.with(LessMemory.of(config).ways().get(way)).need().bytes();
    System.setProperty(LIMIT, Long.toString((long) (room * need)));
  }

  private Listener run(RunConfig config, String name) {
    Listener listener = new Listener();
    assertThat(SmallRun.run(config, folder.resolve(name), listener).steps()).isEqualTo(3);
    return listener;
  }

  /**
   * Micro-batches are not halved again and again where that was counted not to suffice.
   *
   * @param room a little more than was counted, and less than the way before needs
   */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{data: 1}; 1; 1.02; training.micro_batch=2",
        "{data: 1}; 4; 1.02; training.micro_batch=1 training.recompute=full",
        "{data: 2, zero: 1}; 4; 1.02; training.micro_batch=1 training.recompute=full",
        "{data: 2, zero: 3}; 4; 1.02; training.micro_batch=1 training.recompute=full",
        "{pipeline: 2}; 4; 1.02; training.micro_batch=1 training.recompute=full",
        "{pipeline: 2, schedule: zero_bubble}; 4; 1.02; training.micro_batch=1"
            + " training.recompute=full"
      })
  void theFirstThatIsCountedToFitIsTakenInPlace(
      String parallel, int way, double room, String overrides) throws IOException {
    RunConfig config = config("parallel=" + parallel);
    Listener undisturbed = run(config, "undisturbed");
    limit(config, way, room);
    Listener listener = run(config, "remedied");
    assertThat(listener.overrides)
        .doesNotContain(List.of("training.micro_batch=4"))
        .last()
        .isEqualTo(List.of(overrides.split(" ")));
    assertThat(listener.notices)
        .filteredOn(notice -> notice.startsWith("memory ran out in step 1 ("))
        .last()
        .asString()
        .endsWith(overrides + " begins with that");
    assertThat(listener.steps)
        .extracting(StepMetrics::tokens, StepMetrics::learningRate)
        .isEqualTo(
            undisturbed.steps.stream()
                .map(step -> tuple(step.tokens(), step.learningRate()))
                .toList());
    assertThat(listener.losses())
        .usingElementComparator((a, b) -> Math.abs(a - b) < 2e-5 ? 0 : Double.compare(a, b))
        .isEqualTo(undisturbed.losses());
  }

  /** States that are shared out are no matter of one step: the run ends, and begins with that. */
  @Test
  void statesAreSharedOutWithANewStart() throws IOException {
    RunConfig config = config("parallel={data: 2}");
    run(config, "undisturbed"); // measures the processors, which takes memory once, too
    limit(config, 5, 1.02);
    Path run = folder.resolve("run");
    TooLittleMemoryException failure =
        catchThrowableOfType(
            TooLittleMemoryException.class, () -> SmallRun.run(config, run, new Listener()));
    assertThat(failure.overrides())
        .containsExactly("training.micro_batch=1", "training.recompute=full", "parallel.zero=1");
    RunConfig shared =
        config(
            Stream.concat(Stream.of("parallel={data: 2}"), failure.overrides().stream())
                .toArray(String[]::new));
    Listener listener = new Listener();
    assertThat(SmallRun.run(shared, folder.resolve("shared"), listener).steps()).isEqualTo(3);
    assertThat(listener.overrides).isEmpty();
  }
}
