package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.comm.SingleRank;
import dev.duoka.layout.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged checkpoints are named and passed over; superfluous ones go. */
class CheckpointStoreTests {
  private static final long SEED = 20_261_123;

  /** A minimal tokenizer, to be one of the files. */
  private static final String TOKENIZER =
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0}, \"merges\": []}}";

  /** Two checkpoints, of steps 1 and 2, made once and copied for each test. */
  @TempDir static Path made;

  @TempDir Path run;
  private final List<CheckpointEvent> events = new ArrayList<>();

  @BeforeAll
  static void makeTwo() throws IOException {
    Path tokenizer = made.resolve("tokenizer.json");
    Files.writeString(tokenizer, TOKENIZER);
    saveSteps(made, new RetentionPolicy(2, 0), TokenizerFiles.of(tokenizer.toString()), 1, 2);
  }

  private static List<CheckpointEvent> saveSteps(
      Path run, RetentionPolicy retention, TokenizerFiles tokenizer, long... steps) {
    List<CheckpointEvent> events = new ArrayList<>();
    try (CheckpointWriter writer = new CheckpointWriter(run, tokenizer, retention, events::add);
        TestRank rank = TestRank.create(new SingleRank(), 0, Precision.FP32)) {
      for (long step : steps) {
        rank.fill(step);
        writer.save(new SingleRank(), rank.model(), rank.optimizer(), TestRank.state(step));
        writer.await();
      }
    }
    return events;
  }

  private void copyMade() throws IOException {
    Path from = made.resolve(CheckpointStore.FOLDER);
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Path to = run.resolve(CheckpointStore.FOLDER).resolve(from.relativize(path).toString());
        Files.createDirectories(to.getParent());
        Files.copy(path, to);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "model.safetensors",
        "optimizer.safetensors",
        "config.json",
        "tokenizer.json",
        "state.json",
        "manifest.json"
      })
  void everyDamageIsNamedAndTheOneBeforeUsed(String name) throws IOException {
    copyMade();
    Path file = run.resolve("checkpoints/step-00000002").resolve(name);
    byte[] intact = Files.readAllBytes(file);
    Random random = new Random(SEED);
    for (int flip = 0; flip < 4; flip++) {
      byte[] flipped = intact.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      Files.write(file, flipped);
      expectFallBack(file);
    }
    for (int length : new int[] {0, 1, intact.length / 2, intact.length - 1}) {
      Files.write(file, Arrays.copyOf(intact, length));
      expectFallBack(file);
    }
    Files.delete(file);
    expectFallBack(file);
    Files.write(file, intact);
    events.clear();
    CheckpointStore store = new CheckpointStore(run);
    assertThat(store.latestValid(events::add).orElseThrow().step()).isEqualTo(2);
    assertThat(events).isEmpty();
  }

  private void expectFallBack(Path file) {
    events.clear();
    Checkpoint latest = new CheckpointStore(run).latestValid(events::add).orElseThrow();
    assertThat(latest.step()).as("seed %s", SEED).isEqualTo(1);
    assertThat(events)
        .singleElement()
        .isInstanceOfSatisfying(
            CheckpointEvent.Damaged.class,
            damaged -> {
              assertThat(damaged.file()).isEqualTo(file);
              assertThat(damaged.text()).contains(file.toString());
            });
  }

  @Test
  void modelFolderIsFoundByRunCheckpointOrItself() throws IOException {
    copyMade();
    Path newest = run.resolve("checkpoints/step-00000002");
    assertThat(CheckpointStore.resolve(run, events::add)).isEqualTo(newest);
    assertThat(CheckpointStore.resolve(newest, events::add)).isEqualTo(newest);
    Path other = Files.createDirectory(run.resolve("other"));
    assertThat(CheckpointStore.resolve(other, events::add)).isEqualTo(other);
    Files.writeString(newest.resolve("state.json"), "{}");
    assertThatThrownBy(() -> CheckpointStore.resolve(newest, events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("state.json");
    assertThatThrownBy(() -> CheckpointStore.resolve(run.resolve("none"), events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("there is no such folder");
    CrashSafeFiles.deleteTree(run.resolve("checkpoints/step-00000001"));
    assertThatThrownBy(() -> CheckpointStore.resolve(run, events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("no complete checkpoint");
  }

  @Test
  void runWithoutCheckpointsHasNone() {
    assertThat(new CheckpointStore(run).list()).isEmpty();
    assertThat(new CheckpointStore(run).latestValid(events::add)).isEmpty();
  }

  @Test
  void newestAndMultiplesAreKept() {
    TokenizerFiles bytes = TokenizerFiles.of("bytes");
    List<CheckpointEvent> saves =
        saveSteps(run, new RetentionPolicy(2, 4), bytes, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    assertThat(saves).hasSize(9).allMatch(CheckpointEvent.Saved.class::isInstance);
    assertThat(new CheckpointStore(run).list())
        .extracting(Checkpoint::step)
        .containsExactly(9L, 8L, 4L);
  }

  @Test
  void oneOfALaterVersionIsNeitherPassedOverNorDeleted() throws IOException {
    copyMade();
    Path manifest = run.resolve("checkpoints/step-00000002/manifest.json");
    Files.writeString(
        manifest, Files.readString(manifest).replaceFirst("\"format\" : 1", "\"format\" : 2"));
    CheckpointStore store = new CheckpointStore(run);
    assertThatThrownBy(() -> store.latestValid(events::add))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("step-00000002")
        .hasMessageContaining("a newer version of duoka wrote it, in format 2")
        .message()
        .doesNotContain("damaged");
    assertThatThrownBy(() -> CheckpointStore.resolve(run, events::add))
        .hasMessageContaining("a newer version of duoka");
    saveSteps(run, new RetentionPolicy(1, 0), TokenizerFiles.of("bytes"), 3, 4);
    assertThat(store.list()).extracting(Checkpoint::step).containsExactly(4L, 2L);
  }

  @Test
  void damagedCheckpointsDoNotPushOutGoodOnes() throws IOException {
    copyMade();
    Files.delete(run.resolve("checkpoints/step-00000002/manifest.json"));
    saveSteps(run, new RetentionPolicy(1, 0), TokenizerFiles.of("bytes"), 1);
    CheckpointStore store = new CheckpointStore(run);
    assertThat(store.list()).extracting(Checkpoint::step).containsExactly(2L, 1L);
    assertThat(store.latestValid(events::add).orElseThrow().step()).isEqualTo(1);
  }

  @Test
  void damagedOnesAreSetAsideSoThatTheLastValidOneStays() throws IOException {
    copyMade();
    Path second = run.resolve("checkpoints/step-00000002");
    Path weights = second.resolve("model.safetensors");
    byte[] bytes = Files.readAllBytes(weights);
    bytes[bytes.length - 1] ^= 1; // of the right size, so that only its hash tells
    Files.write(weights, bytes);
    CheckpointStore store = new CheckpointStore(run);
    store.setAsideAfter(1, events::add);
    assertThat(store.list()).extracting(Checkpoint::step).containsExactly(1L);
    Path aside = second.resolveSibling("step-00000002.damaged");
    assertThat(events)
        .singleElement()
        .satisfies(event -> assertThat(event.text()).contains("2 is kept as " + aside));
    assertThat(aside).isDirectory();
    saveSteps(run, new RetentionPolicy(2, 0), TokenizerFiles.of("bytes"), 2);
    assertThat(store.list()).extracting(Checkpoint::step).containsExactly(2L, 1L);
    store.setAsideAfter(1, events::add);
    assertThat(second.resolveSibling("step-00000002.damaged-2")).isDirectory();
    assertThat(store.latestValid(events::add).orElseThrow().step()).isEqualTo(1);
  }

  @Test
  void savingAStepAgainReplacesIt() throws IOException {
    copyMade();
    Files.delete(run.resolve("checkpoints/step-00000002/manifest.json"));
    saveSteps(run, new RetentionPolicy(5, 0), TokenizerFiles.of("bytes"), 2);
    CheckpointStore store = new CheckpointStore(run);
    assertThat(store.latestValid(events::add).orElseThrow().step()).isEqualTo(2);
    assertThat(events).isEmpty();
    try (Stream<Path> left = Files.list(store.folder())) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("step-00000001", "step-00000002");
    }
  }

  @Test
  void leftoversOfAKilledProcessAreCleanedUp() throws IOException {
    copyMade();
    Path folder = run.resolve("checkpoints");
    Files.createDirectories(folder.resolve(".writing-step-00000003"));
    Files.writeString(folder.resolve(".writing-step-00000003/model.safetensors.tmp"), "half");
    Files.createDirectories(folder.resolve(".deleting-step-00000000"));
    Files.createDirectories(folder.resolve(".replaced-step-00000001"));
    // Killed between the two renames: the only copy of step 2 has the other name.
    Files.move(folder.resolve("step-00000002"), folder.resolve(".replaced-step-00000002"));
    CheckpointStore store = new CheckpointStore(run);
    store.cleanUp(events::add);
    assertThat(events).hasSize(4).allMatch(CheckpointEvent.CleanedUp.class::isInstance);
    events.clear();
    assertThat(store.latestValid(events::add).orElseThrow().step()).isEqualTo(2);
    assertThat(events).isEmpty();
    try (Stream<Path> left = Files.list(folder)) {
      assertThat(left).hasSize(2);
    }
  }

  @Test
  void impossiblePoliciesAreRefused() {
    assertThatThrownBy(() -> new RetentionPolicy(0, 0)).isInstanceOf(DuokaException.class);
    assertThatThrownBy(() -> new RetentionPolicy(1, -1)).isInstanceOf(DuokaException.class);
  }

  @Test
  void readersOfDamagedFilesFailOnlyWithOneMessage() throws IOException {
    copyMade();
    Path folder = run.resolve("checkpoints/step-00000002");
    byte[] state = Files.readAllBytes(folder.resolve("state.json"));
    byte[] manifest = Files.readAllBytes(folder.resolve("manifest.json"));
    Random random = new Random(SEED);
    int refused = 0;
    for (int round = 0; round < 500; round++) {
      Files.write(folder.resolve("state.json"), mutated(state, random));
      Files.write(folder.resolve("manifest.json"), mutated(manifest, random));
      refused += refuses(() -> StateJson.read(folder)) ? 1 : 0;
      refused += refuses(() -> CheckpointManifest.read(folder)) ? 1 : 0;
    }
    assertThat(refused).as("seed %s", SEED).isGreaterThan(500);
  }

  /** Whether reading ends in the one exception; any other fails the test. */
  private static boolean refuses(Runnable reading) {
    try {
      reading.run();
      return false;
    } catch (DuokaException e) {
      assertThat(e).hasMessageContaining(".json");
      return true;
    }
  }

  private static byte[] mutated(byte[] content, Random random) {
    byte[] bytes = content.clone();
    for (int change = random.nextInt(4); change >= 0; change--) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] = (byte) "{}[]\",:-0123456789eE.null".charAt(random.nextInt(25));
        case 2 -> bytes = Arrays.copyOf(bytes, at + 1);
        default -> {
          int from = random.nextInt(bytes.length);
          int length = Math.min(random.nextInt(20), bytes.length - Math.max(at, from));
          System.arraycopy(bytes, from, bytes, at, length);
        }
      }
    }
    return bytes;
  }
}
