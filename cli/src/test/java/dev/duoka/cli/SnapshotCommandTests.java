package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** {@code duoka snapshot} on a run that was really trained. */
final class SnapshotCommandTests {
  private static final String FILE =
      """
      model:
        preset: tiny-llama
        overrides: {hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2}
      data: {sources: [%s], sequence_length: 32, validation_fraction: 0, cache: %s}
      training: {tokens_per_step: 64, steps: 6}
      checkpoint: {every_steps: 2, keep: 9}
      device: cpu
      threads: 1
      """;

  @TempDir Path folder;
  private final ProgramRun program = new ProgramRun();

  private JsonNode json(String... arguments) {
    assertThat(program.run(arguments)).as(program.err().toString()).isZero();
    String last = program.out().toString().lines().reduce("", (_, line) -> line);
    return Json.parse(last.getBytes(StandardCharsets.UTF_8), "output", ErrorCode.FORMAT);
  }

  @Test
  void aRunIsListedComparedTakenBackAndTheRestStillOpens() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "one two three four five six seven eight nine ten\n".repeat(80));
    Path file = folder.resolve("tiny.yaml");
    Files.writeString(file, FILE.formatted(text, folder.resolve("cache")));
    Path trained = folder.resolve("trained");
    assertThat(
            program.run(
                "train", file.toString(), "--run-dir", trained.toString(), "--max-steps", "2"))
        .as(program.err().toString())
        .isZero();
    assertThat(
            program.run(
                "train",
                trained.resolve("run.yaml").toString(),
                "--resume",
                "--set",
                "training.seed=5",
                "--set",
                "logging.every_steps=3"))
        .as(program.err().toString())
        .isZero();
    // Under its own name it is listed as one of this process, which goes on.
    assertThat(program.run("snapshot", "rollback", trained.toString())).isEqualTo(1);
    assertThat(program.err().toString()).contains("goes on: it is running", "duoka stop");
    Path folderOfRun = Files.move(trained, folder.resolve("run"));
    String run = folderOfRun.toString();
    String own = folderOfRun.resolve("run.yaml").toString();

    assertThat(json("snapshot", "list", run, "--json").path("starts")).hasSize(2);
    assertThat(program.run("snapshot", "show", run, "1")).isZero();
    assertThat(program.out().toString())
        .contains("config.training.seed: 1234", "libraries.libtorch:", "data.sources:");
    assertThat(program.run("snapshot", "diff", run + ":1", ":2")).isZero();
    assertThat(program.out().toString())
        .contains(
            "can change the numbers:",
            "config.training.seed: 1234 \u2192 5  (other first weights)",
            "neither:",
            "config.logging.every_steps: 10 \u2192 3");
    JsonNode difference = json("snapshot", "diff", run + ":1", run, "--json");
    assertThat(difference.path("gravest").asString()).isEqualTo("numbers");
    assertThat(difference.path("unknown_fields").asInt()).isZero();

    assertThat(json("snapshot", "rollback", run, "--dry-run", "--json").path("done").asBoolean())
        .isFalse();
    assertThat(folderOfRun.resolve("checkpoints/step-00000006")).exists();
    assertThat(program.run("snapshot", "rollback", run, "--to", "3")).isEqualTo(1);
    assertThat(program.err().toString()).contains("There are those of steps 2, 4, 6");
    JsonNode done = json("snapshot", "rollback", run, "--json");
    assertThat(done.path("done").asBoolean()).isTrue();
    assertThat(done.path("step").asLong()).isEqualTo(2);
    assertThat(done.path("steps_undone").asLong()).isEqualTo(4);
    assertThat(Files.readString(folderOfRun.resolve("run.yaml"))).contains("seed: 1234");
    assertThat(folderOfRun.resolve("checkpoints/step-00000006")).doesNotExist();

    String aside = done.path("set_aside").asString();
    assertThat(program.run("top", aside, "--once")).isZero();
    assertThat(program.out().toString()).contains("after-step-00000002", "step 6");
    Path page = folder.resolve("page.html");
    assertThat(program.run("save", aside, "--html", page.toString())).isZero();
    assertThat(page).isNotEmptyFile();
    assertThat(program.run("top", run, "--once")).isZero();
    assertThat(program.out().toString()).contains("step 2");
    printsOneDocument(run);
    assertThat(program.run("snapshot", "rollback", run, "--to", "2")).isZero();
    assertThat(program.out().toString()).contains("nothing to undo");
    assertThat(json("train", own, "--resume", "--json").path("steps").asLong()).isEqualTo(6);
  }

  /** What else tells programs of a run. */
  private void printsOneDocument(String run) {
    assertThat(document("top", run).path("last_step").asLong()).isEqualTo(2);
    JsonNode note = document("note", run, "half the rate", "--tag", "sweep");
    assertThat(note.path("tags").get(0).asString()).isEqualTo("sweep");
    assertThat(note.path("text").asString()).contains("half the rate");
    String page = folder.resolve("other.html").toString();
    assertThat(document("save", run, "--html", page).path("page").asString()).isEqualTo(page);
    String exported = folder.resolve("exported").toString();
    JsonNode export = document("export", run, "--output", exported);
    assertThat(export.path("folder").asString()).isEqualTo(exported);
    assertThat(export.path("tensors").asInt()).isPositive();
    JsonNode text = document("generate", exported, "--prompt", "one", "--tokens", "2");
    assertThat(text.path("prompt").asString()).isEqualTo("one");
    assertThat(text.path("text").asString()).isNotEmpty();
  }

  private JsonNode document(String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--json";
    JsonNode json = json(all);
    assertThat(program.out().toString().lines()).as(arguments[0]).hasSize(1);
    return json;
  }

  /** Files that were half written, and files with nothing in them. */
  @Test
  void whatIsDamagedIsSaidPlainly() throws IOException {
    Path run = Files.createDirectories(folder.resolve("damaged"));
    Files.writeString(run.resolve("metrics.jsonl"), "{\"step\":7,\"loss\":2.5,\"tok");
    Files.writeString(run.resolve("prediction.json"), "{\"step\": {\"sec");
    Files.createFile(run.resolve("placement.json"));
    Files.createFile(run.resolve("run.yaml"));
    Files.createDirectories(run.resolve("snapshots"));
    String name = run.toString();
    assertThat(program.run("snapshot", "list", name)).isZero();
    assertThat(program.out().toString()).contains("it was started before duoka wrote them");
    Files.writeString(run.resolve("snapshots/starts.jsonl"), "{\"number\": 1, \"ti");
    assertThat(program.run("snapshot", "list", name)).isZero();
    assertThat(program.out().toString())
        .contains("has no start that can be read", "starts.jsonl is damaged");
    assertThat(json("snapshot", "list", name, "--json").path("starts").isArray()).isTrue();
    assertThat(program.run("top", name, "--once")).isZero();
    assertThat(program.out().toString())
        .contains("damaged  unknown  step 0", "! cannot read " + run.resolve("prediction.json"));
    assertThat(document("top", name).path("problems").size()).isPositive();
    assertThat(program.err().toString()).doesNotContain("Exception", "\tat ");
  }

  @Test
  void whatIsNotThereIsRefused() throws IOException {
    assertThat(program.run("snapshot")).isEqualTo(2);
    assertThat(program.run("snapshot", "list", folder.toString())).isEqualTo(2);
    Files.createFile(folder.resolve("metrics.jsonl"));
    assertThat(program.run("snapshot", "list", folder.toString())).isZero();
    assertThat(program.out().toString()).contains("no snapshots");
    assertThat(program.run("snapshot", "show", folder.toString())).isEqualTo(2);
    assertThat(program.err().toString()).contains("has no snapshots");
    assertThat(program.run("snapshot", "rollback", folder.toString())).isEqualTo(1);
    assertThat(program.err().toString()).contains("holds no checkpoints");
  }
}
