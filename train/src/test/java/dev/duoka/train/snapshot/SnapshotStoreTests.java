package dev.duoka.train.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class SnapshotStoreTests {
  @TempDir Path run;
  private SnapshotStore store;

  @BeforeEach
  void open() {
    store = new SnapshotStore(run);
  }

  private static RunSnapshot snapshot(int seed, Map<String, String> environment) {
    ObjectNode facts = Json.object();
    facts.putObject("machine").put("name", "made up");
    ObjectNode variables = facts.putObject("environment");
    environment.forEach(variables::put);
    return RunSnapshot.of(
        SnapshotRecorder.content(
            new SnapshotRecorder.RunFacts(
                "training: {seed: " + seed + "}\n",
                Map.of("data.tokenizer", "t", "data.sources", "s"),
                seed,
                seed,
                Optional.empty()),
            facts));
  }

  @Test
  void theNameIsTheHashOfTheFile() throws IOException {
    String hash = store.addStart(snapshot(1, Map.of()), 0).hash();
    byte[] file = Files.readAllBytes(run.resolve("snapshots").resolve(hash + ".json"));
    assertThat(HexFormat.of().formatHex(Sha256.of(file))).isEqualTo(hash);
    assertThat(store.read(hash).config()).isEqualTo("training: {seed: 1}\n");
  }

  @Test
  void startsAreFoundByNumberAndHash() throws IOException {
    String first = store.addStart(snapshot(1, Map.of()), 0).hash();
    String second = store.addStart(snapshot(2, Map.of()), 10).hash();
    store.addStart(snapshot(1, Map.of()), 20);
    assertThat(store.find("").number()).isEqualTo(3);
    assertThat(store.find("2").hash()).isEqualTo(second);
    assertThat(store.find(first.substring(0, 6)).number()).isEqualTo(3);
    assertThat(store.find(second.substring(0, 4)).number()).isEqualTo(2);
    assertThatThrownBy(() -> store.find("4"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("no start '4'")
        .hasMessageContaining("Starts are 1 to 3");
    assertThatThrownBy(() -> store.find("zzzz")).hasMessageContaining("no start 'zzzz'");
  }

  @Test
  void aLineThatACrashCutShortIsLeftOut() throws IOException {
    store.addStart(snapshot(1, Map.of()), 0);
    Path log = run.resolve("snapshots/starts.jsonl");
    Files.writeString(log, "{\"start\":2,\"ti", StandardOpenOption.APPEND);
    assertThat(store.starts()).hasSize(1);
    store.addStart(snapshot(2, Map.of()), 10);
    assertThat(store.starts()).extracting(RunStart::number).containsExactly(1, 2);
  }

  @Test
  void damageIsNamedAndMendedByTheNextStart() throws IOException {
    RunSnapshot snapshot = snapshot(1, Map.of());
    String hash = store.addStart(snapshot, 0).hash();
    Path file = run.resolve("snapshots").resolve(hash + ".json");
    byte[] bytes = Files.readAllBytes(file);
    bytes[20] ^= 1;
    Files.write(file, bytes);
    assertThatThrownBy(() -> store.read(hash))
        .isInstanceOfSatisfying(
            DuokaException.class, it -> assertThat(it.code()).isEqualTo(ErrorCode.FORMAT))
        .hasMessageContaining("is damaged");
    store.addStart(snapshot, 5);
    assertThat(store.read(hash).hash()).isEqualTo(hash);
  }

  @Test
  void productsBelongToTheirStart() throws IOException {
    SnapshotLog.Start first = store.addStart(snapshot(1, Map.of()), 0);
    SnapshotLog.Start second = store.addStart(snapshot(1, Map.of()), 5);
    store.addProducts(first, products("a"));
    store.addProducts(second, products("b"));
    SnapshotComparison.Side one = SnapshotComparison.Side.of(store, store.starts().get(0));
    SnapshotComparison.Side two = SnapshotComparison.Side.of(store, store.starts().get(1));
    SnapshotComparison comparison = SnapshotComparison.of(one, two);
    assertThat(comparison.differences())
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.key()).isEqualTo("products.card.1x2x3");
              assertThat(it.effect()).isEqualTo(Effect.ROUNDING);
            });
    assertThat(comparison.verdict()).isEqualTo("What differs can change the last bits, no more.");
    assertThat(
            SnapshotComparison.of(
                    one, new SnapshotComparison.Side(two.snapshot(), Optional.empty()))
                .differences())
        .singleElement()
        .satisfies(it -> assertThat(it.after()).isEqualTo("not known"));
  }

  private static ObjectNode products(String algorithm) {
    ObjectNode document = Json.object();
    document.putObject("products").putObject("card").put("1x2x3", algorithm);
    return document;
  }

  @Test
  void comparesWhatDiffersAndSaysTheWorst() {
    SnapshotComparison comparison =
        SnapshotComparison.of(
            new SnapshotComparison.Side(
                snapshot(1, Map.of("NCCL_BUFFSIZE", "1", "NEW_THING", "x")), Optional.empty()),
            new SnapshotComparison.Side(snapshot(2, Map.of()), Optional.empty()));
    assertThat(comparison.lines())
        .containsSubsequence(
            "can change the numbers:",
            "  config.training.seed: 1 → 2  (other first weights)",
            "  environment.NEW_THING: x → not set  (nothing is known of this field)",
            "only the speed:",
            "  environment.NCCL_BUFFSIZE: 1 → not set  (how NCCL moves bytes)");
    assertThat(comparison.gravest()).contains(Effect.NUMBERS);
    assertThat(comparison.unknown()).isEqualTo(1);
    assertThat(comparison.verdict()).contains("fields that nobody knows are among it: 1");
    assertThat(SnapshotComparison.of(new TreeMap<>(), new TreeMap<>()).verdict())
        .isEqualTo("Nothing differs.");
  }
}
