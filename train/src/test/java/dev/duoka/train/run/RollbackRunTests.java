package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.BatchStream;
import dev.duoka.data.batch.DataState;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.RankShare;
import dev.duoka.data.batch.StepBatch;
import dev.duoka.data.batch.TrainingOrder;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.training.TrainingData;
import dev.duoka.formats.json.Json;
import dev.duoka.train.checkpoint.CheckpointReader;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.SmallRun.Listener;
import dev.duoka.train.snapshot.Rollback;
import dev.duoka.train.snapshot.RunStart;
import dev.duoka.train.snapshot.SnapshotStore;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** A run that was changed, taken back and trained on is the run that was never changed. */
class RollbackRunTests {
  private static final Consumer<String> NOBODY = _ -> {};

  @TempDir Path folder;

  /** Trains to 8, then on to 12 with other settings. */
  private Path changed(String... overrides) throws IOException {
    Path run = folder.resolve("run");
    SmallRun.run(config(overrides), run, new Listener(), 8, false);
    List<String> other = new ArrayList<>(List.of(overrides));
    other.addAll(
        List.of("optimizer.learning_rate=1e-2", "data.seed=77", "optimizer.clip_norm=0.1"));
    SmallRun.run(config(other.toArray(String[]::new)), run, new Listener(), 12, true);
    return run;
  }

  private RunConfig config(String... overrides) throws IOException {
    List<String> all = new ArrayList<>(List.of(overrides));
    all.addAll(List.of("training.steps=14", "checkpoint.every_steps=4", "validation.sequences=2"));
    return SmallRun.config(folder, all.toArray(String[]::new));
  }

  private static RunConfig restored(Path run) {
    return RunFile.read(run.resolve(RunFolder.CONFIG), List.of());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void goingOnAfterwardsGivesTheBitsOfTheRunThatNeverLeft(int ranks) throws IOException {
    String several = "parallel.data=" + ranks;
    Path never = folder.resolve("never");
    Listener straight = new Listener();
    SmallRun.run(config(several), never, straight);
    Path run = changed(several);
    assertThat(RunFolder.rollBack(run, OptionalLong.of(8), NOBODY)).isPresent();
    assertThat(restored(run)).isEqualTo(config(several));
    assertThat(tokens(run, restored(run), 6)).isEqualTo(tokens(never, config(several), 6));

    Listener second = new Listener();
    SmallRun.run(restored(run), run, second, 0, true);
    assertThat(values(second.steps)).isEqualTo(values(straight.steps.subList(8, 14)));
    for (String file : List.of("model.safetensors", "optimizer.safetensors", "state.json")) {
      Path place = Path.of("checkpoints", "step-00000014", file);
      assertThat(run.resolve(place)).hasSameBinaryContentAs(never.resolve(place));
    }
    assertThat(steps(run)).isEqualTo(steps(never));
  }

  /** The settings that were changed do change the run: otherwise the test above says nothing. */
  @Test
  void withoutGoingBackItIsAnotherRun() throws IOException {
    Listener straight = new Listener();
    SmallRun.run(config(), folder.resolve("never"), straight);
    Path run = changed();
    assertThat(tokens(run, restored(run), 2)).isNotEqualTo(tokens(run, config(), 2));
    Listener second = new Listener();
    SmallRun.run(restored(run), run, second, 0, true);
    assertThat(values(second.steps)).isNotEqualTo(values(straight.steps.subList(12, 14)));
  }

  /** Loss, rate and norm of each step, to the bit. */
  private static List<List<Double>> values(List<StepMetrics> steps) {
    return steps.stream()
        .map(it -> List.of(it.loss(), it.learningRate(), it.gradientNorm()))
        .toList();
  }

  /** The next steps' tokens after the newest checkpoint of at most step 8. */
  private static List<String> tokens(Path run, RunConfig config, int steps) {
    TrainingData data = RunData.open(config, new ByteTokenizer(), new Quiet());
    DataState state = position(run);
    TrainingOrder order = new TrainingOrder(data.training(), RunData.seed(config));
    RankShare share = new RankShare(0, 1, 4, 16);
    List<String> tokens = new ArrayList<>();
    for (int step = 0; step < steps; step++) {
      StepBatch batch = BatchStream.read(order, share, state);
      for (MicroBatch micro : batch.microBatches()) {
        tokens.add(Arrays.toString(micro.tokens()));
      }
      state = order.advance(state, 16);
    }
    return tokens;
  }

  private static DataState position(Path run) {
    try (CheckpointReader reader = CheckpointReader.open(new CheckpointStore(run).require(8))) {
      return reader.state().data();
    }
  }

  private static final class Quiet implements TokenisationListener {
    @Override
    public void progress(TokenisationProgress progress) {}

    @Override
    public void notice(String message) {}
  }

  private static List<Long> steps(Path run) throws IOException {
    List<Long> steps = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node =
          Json.parse(line.getBytes(StandardCharsets.UTF_8), "metrics", ErrorCode.FORMAT);
      if (node.has("loss")) {
        steps.add(node.path("step").asLong());
      }
    }
    return steps;
  }

  @Test
  void whatIsUndoneIsSaidAndKept() throws IOException {
    Path run = changed();
    List<String> before = Files.readAllLines(run.resolve("metrics.jsonl"));
    byte[] other = Files.readAllBytes(run.resolve(RunFolder.CONFIG));
    Rollback.Done done = RunFolder.rollBack(run, OptionalLong.empty(), NOBODY).orElseThrow();
    assertThat(done.step()).isEqualTo(8);
    assertThat(String.join("\n", done.lines()))
        .contains(
            "goes back to step 8, where the newest snapshot before the last one ended",
            "4 steps undone, 9 to 12",
            "set aside: those of steps 12",
            "config.optimizer.learning_rate: 0.01 → 0.003  (can change the numbers)",
            "config.data.seed: 77 → 1234");
    Path aside = run.resolve("set-aside/after-step-00000008");
    assertThat(aside.resolve("checkpoints/step-00000012/manifest.json")).exists();
    assertThat(aside.resolve(RunFolder.CONFIG)).hasBinaryContent(other);
    assertThat(steps(aside)).containsExactly(9L, 10L, 11L, 12L);
    assertThat(steps(run)).hasSize(8);
    List<String> both = new ArrayList<>(Files.readAllLines(run.resolve("metrics.jsonl")));
    both.addAll(Files.readAllLines(aside.resolve("metrics.jsonl")));
    assertThat(both).containsExactlyInAnyOrderElementsOf(before);
    assertThat(Files.readString(run.resolve("run.log")))
        .contains("ended: stopped by a rollback to step 8")
        .doesNotContain("step-00000012");
    assertThat(Files.readString(aside.resolve("run.log"))).contains("step-00000012");
    assertThat(new SnapshotStore(run).starts())
        .extracting(RunStart::afterStep, RunStart::undone)
        .containsExactly(tuple(0L, false), tuple(8L, true));
    assertThat(RunFolder.rollBack(run, OptionalLong.of(8), NOBODY)).isEmpty();
  }

  /** Killed at any point, the run is as before or, once finished, rolled back. */
  @Test
  void aKillAtAnyPointLeavesOneOrTheOther() throws IOException {
    Path run = changed();
    Path whole = copy(run, "whole");
    List<String> parts = new ArrayList<>();
    RunFolder.rollBack(whole, OptionalLong.of(8), parts::add);
    assertThat(parts).hasSizeGreaterThan(6);
    Map<String, String> before = content(run);
    Map<String, String> after = content(whole);
    int decided = parts.indexOf("the rollback is decided");
    for (int killed = 0; killed < parts.size(); killed++) {
      Path hit = copy(run, "killed-" + killed);
      int last = killed;
      int[] heard = {0};
      assertThatThrownBy(
              () ->
                  RunFolder.rollBack(
                      hit,
                      OptionalLong.of(8),
                      _ -> {
                        if (heard[0]++ == last) {
                          throw new IllegalStateException("killed");
                        }
                      }))
          .hasMessage("killed");
      assertThat(Rollback.isPending(hit)).as(parts.get(killed)).isEqualTo(killed >= decided);
      if (killed < decided) {
        assertThat(content(hit)).as(parts.get(killed)).isEqualTo(before);
      }
      if (killed % 2 == 0) {
        RunFolder.rollBack(hit, OptionalLong.of(8), NOBODY);
      } else { // whoever resumes does the rest
        RunFolder.open(hit, true, NOBODY).close();
        RunFolder.rollBack(hit, OptionalLong.of(8), NOBODY);
      }
      assertThat(content(hit)).as(parts.get(killed)).isEqualTo(after);
      assertThat(hit.resolve("set-aside")).isDirectoryContaining("glob:**/after-step-00000008");
    }
  }

  private Path copy(Path run, String name) throws IOException {
    Path copy = folder.resolve(name).resolve("run");
    try (Stream<Path> files = Files.walk(run)) {
      for (Path file : files.toList()) {
        Path target = copy.resolve(run.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
    }
    return copy;
  }

  /** Every file with its bytes, without times; what is only prepared does not count. */
  private static Map<String, String> content(Path run) {
    Map<String, String> content = new TreeMap<>();
    try (Stream<Path> files = Files.walk(run)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = run.relativize(file).toString();
        if (!name.contains(".preparing-") && !name.equals("run.lock")) {
          content.put(
              name,
              Files.readString(file, StandardCharsets.ISO_8859_1)
                  .replaceAll("\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z", "TIME")
                  .replaceAll("/(whole|killed-\\d+)/", "/"));
        }
      }
      return content;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void whatCannotBeIsRefusedAndChangesNothing() throws IOException {
    Path run = changed();
    Map<String, String> before = content(run);
    assertThatThrownBy(() -> RunFolder.rollBack(run, OptionalLong.of(6), NOBODY))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("no checkpoint of step 6")
        .hasMessageContaining("steps 4, 8, 12");
    Path weights = run.resolve("checkpoints/step-00000004/model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length / 2] ^= 1;
    Files.write(weights, bytes);
    assertThatThrownBy(() -> RunFolder.rollBack(run, OptionalLong.of(4), NOBODY))
        .hasMessageContaining("damaged");
    bytes[bytes.length / 2] ^= 1;
    Files.write(weights, bytes);
    try (RunLock _ = RunLock.take(run, NOBODY)) {
      assertThatThrownBy(() -> RunFolder.rollBack(run, OptionalLong.of(4), NOBODY))
          .hasMessageContaining("in use");
    }
    assertThat(content(run)).isEqualTo(before);
    RunFolder.rollBack(run, OptionalLong.of(8), NOBODY);
    assertThatThrownBy(() -> RunFolder.rollBack(run, OptionalLong.empty(), NOBODY))
        .hasMessageContaining("with the same snapshot")
        .hasMessageContaining("steps 4, 8");
  }

  /** As of a run that an earlier version of the program has trained. */
  @Test
  void settingsThatWereNotRecordedStayAndThatIsSaid() throws IOException {
    Path run = changed();
    CrashSafeFiles.deleteTree(run.resolve(SnapshotStore.FOLDER));
    byte[] config = Files.readAllBytes(run.resolve(RunFolder.CONFIG));
    Rollback.Done done = RunFolder.rollBack(run, OptionalLong.of(8), NOBODY).orElseThrow();
    assertThat(String.join("\n", done.lines()))
        .contains("those of step 8 were not recorded: run.yaml stays as it is");
    assertThat(run.resolve(RunFolder.CONFIG)).hasBinaryContent(config);
    assertThat(steps(run)).hasSize(8);
  }

  @Test
  void identicalStartsWriteNothingNewAndOneThatCannotBeWrittenCostsNoRun() throws IOException {
    Path run = folder.resolve("run");
    SmallRun.run(config(), run, new Listener(), 4, false);
    SmallRun.run(config(), run, new Listener(), 6, true);
    List<RunStart> starts = new SnapshotStore(run).starts();
    assertThat(starts).extracting(RunStart::afterStep).containsExactly(0L, 4L);
    assertThat(starts.get(1).hash()).isEqualTo(starts.get(0).hash());
    assertThat(new SnapshotStore(run).read(starts.get(0).hash()).fields())
        .containsEntry("config.training.steps", "14")
        .containsEntry("seed.weights", "1234")
        .containsEntry("placement.ranks.0.device", "cpu")
        .containsKeys("data.tokenizer", "data.sources", "libraries.libtorch", "code.java");
    try (Stream<Path> files = Files.list(run.resolve(SnapshotStore.FOLDER))) {
      assertThat(files).hasSize(2);
    }

    Path second = folder.resolve("second");
    Files.createDirectories(second);
    Files.writeString(second.resolve(SnapshotStore.FOLDER), "in the way");
    Listener listener = new Listener();
    RunResult result = SmallRun.run(config(), second, listener, 2, false);
    assertThat(result.steps()).isEqualTo(2);
    assertThat(listener.notices)
        .anyMatch(it -> it.startsWith("the snapshot of this start is not written"));
  }
}
