package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Trials of runs that really train. */
@Timeout(240)
final class TrialCommandTests {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void writeRunFile() throws IOException {
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    for (int document = 0; document < 40; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    file =
        Files.writeString(
            folder.resolve("small.yaml"),
            """
            model: {preset: tiny-llama}
            data: {sources: [%s], sequence_length: 64, cache: %s}
            training: {tokens_per_step: 512, micro_batch: 4, steps: 100000}
            parallel: {data: 2}
            device: cpu
            threads: 1
            """
                .formatted(corpus, folder.resolve("cache")));
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(
                    File.pathSeparator,
                    System.getProperty("jdk.module.path", ""),
                    System.getProperty("java.class.path", "")),
                "dev.duoka.cli.Main"));
    words.addAll(List.of(arguments));
    Path errors = folder.resolve("errors");
    ProcessBuilder builder =
        new ProcessBuilder(words).directory(folder.toFile()).redirectError(errors.toFile());
    builder.environment().put("XDG_STATE_HOME", folder.resolve("state").toString());
    Process process = builder.start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as("%s%s", output, Files.readString(errors)).isZero();
    return output;
  }

  /**
   * Smaller micro-batches need less memory, and the same batches give the same losses but for
   * rounding; ranks on threads take turns together.
   */
  @Test
  void aChangeIsTriedOnTheSameBatches() throws Exception {
    String output =
        run(
            "trial",
            "small.yaml",
            "--set",
            "training.micro_batch=1",
            "--steps",
            "20",
            "--no-itself",
            "--json");
    JsonNode trial = Json.parse(output.getBytes(StandardCharsets.UTF_8), "trial", ErrorCode.FORMAT);
    JsonNode judgements = trial.path("judgements");
    assertThat(judgements.get(1).path("quantity").asString()).isEqualTo("memory");
    assertThat(judgements.get(1).path("verdict").asString()).isEqualTo("better");
    assertThat(judgements.get(2).path("verdict").asString()).isEqualTo("same");
    assertThat(judgements.get(3).path("verdict").asString()).isEqualTo("same");
    assertThat(trial.path("changes").get(0).asString()).isEqualTo("training.micro_batch: 4 → 1");
    Path arms = Path.of(trial.path("folder").asString());
    assertThat(Files.readAllLines(arms.resolve("changed/metrics.jsonl"))).hasSize(23);
    assertThat(run("trials", "small.yaml"))
        .contains("small.yaml  training.micro_batch=1", "  memory         better");
  }

  @Test
  void bothStartFromACheckpoint() throws Exception {
    run("train", "small.yaml", "--no-watch", "--max-steps", "4", "--run-dir", "earlier");
    String output =
        run(
            "trial",
            "small.yaml",
            "--from",
            "earlier",
            "--set",
            "parallel.data=1",
            "--steps",
            "20",
            "--no-itself",
            "--out",
            "tried");
    assertThat(output).contains("20 steps of each arm after step 4", "loss           same");
    List<String> lines = Files.readAllLines(folder.resolve("tried/changed/metrics.jsonl"));
    assertThat(lines).hasSize(23).first().asString().startsWith("{\"step\":5,");
  }

  /** Tries a change, and sees that the run file is what the verdict says. */
  private JsonNode keptIfBetter(String before, String... change) throws Exception {
    String asItWas = Files.readString(file);
    List<String> words = new ArrayList<>(List.of("trial", "small.yaml", "--keep", "--json"));
    words.addAll(List.of("--steps", "20", "--no-itself"));
    words.addAll(List.of(change));
    String output = run(words.toArray(String[]::new));
    JsonNode trial = Json.parse(output.getBytes(StandardCharsets.UTF_8), "trial", ErrorCode.FORMAT);
    if (isKept(trial)) {
      assertThat(folder.resolve(before)).hasContent(asItWas);
      assertThat(file).content().isNotEqualTo(asItWas);
    } else {
      assertThat(folder.resolve(before)).doesNotExist();
      assertThat(file).hasContent(asItWas);
    }
    return trial;
  }

  private static boolean isKept(JsonNode trial) {
    return trial.path("decision").asString().equals("keep");
  }

  /** On a busy machine the speed may stay unknown, and then nothing is kept. */
  @Test
  void whatIsBetterIsKeptAndTheNextTrialStartsFromIt() throws Exception {
    JsonNode first = keptIfBetter("small.yaml.before", "--set", "training.micro_batch=1");
    boolean kept = isKept(first);
    JsonNode second =
        keptIfBetter(
            kept ? "small.yaml.before-2" : "small.yaml.before",
            "--set",
            "training.recompute=full",
            "--set",
            "training.micro_batch=2");
    assertThat(second.path("changes").valueStream().map(JsonNode::asString))
        .contains("training.micro_batch: " + (kept ? 1 : 4) + " → 2");
    JsonNode all =
        Json.parse(
            run("trials", "small.yaml", "--json").getBytes(StandardCharsets.UTF_8),
            "trials",
            ErrorCode.FORMAT);
    assertThat(all).hasSize(2);
    assertThat(all.get(0).path("changes")).isEqualTo(second.path("changes"));
    assertThat(all.get(1).path("decision")).isEqualTo(first.path("decision"));
  }

  /**
   * Two ranks of two sequences and one thread each: the file as it is, and smaller micro-batches.
   */
  @Test
  @Timeout(480)
  void aMachineWithoutCardsIsTuned() throws Exception {
    Files.writeString(
        file,
        Files.readString(file)
            .replace("sequence_length: 64", "sequence_length: 16")
            .replace(
                "tokens_per_step: 512, micro_batch: 4", "tokens_per_step: 64, micro_batch: 2"));
    String before = Files.readString(file);
    run("tune", "small.yaml", "--minutes", "60", "--out", "tuned", "--keep");
    JsonNode tuned =
        Json.parse(Files.readAllBytes(folder.resolve("tuned/tune.json")), "tune", ErrorCode.FORMAT);
    assertThat(tuned.path("cut_short").asBoolean()).isFalse();
    List<String> tried = new ArrayList<>();
    for (JsonNode one : tuned.path("tried")) {
      assertThat(one.path("tokens_per_second").asDouble()).as("%s", one).isPositive();
      one.path("set").forEach(set -> tried.add(set.asString()));
    }
    assertThat(tried).contains("training.micro_batch=1");
    boolean kept = !tuned.path("best").path("set").isEmpty();
    assertThat(Files.exists(folder.resolve("small.yaml.before"))).isEqualTo(kept);
    assertThat(folder.resolve(kept ? "small.yaml.before" : "small.yaml")).hasContent(before);
  }
}
