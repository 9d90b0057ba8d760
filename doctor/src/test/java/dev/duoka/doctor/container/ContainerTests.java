package dev.duoka.doctor.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The files keep the rules, for any plan; the rules notice when they are broken. */
class ContainerTests {
  private static final String DIGEST =
      "nvcr.io/nvidia/pytorch@sha256:" + "0123456789abcdef".repeat(4);

  private static ContainerPlan plan(
      int gpus,
      boolean infiniband,
      Optional<String> driver,
      Optional<String> image,
      String corpus) {
    return new ContainerPlan(
        "my-run_1.2",
        Optional.of(Path.of("/home/me/jobs/run.yaml")),
        Path.of("/home/me/jobs"),
        List.of(Path.of(corpus), Path.of("/models/tokenizer.json")),
        Path.of("/scratch/runs"),
        gpus,
        gpus == 8 ? 2 : 1,
        gpus == 8 ? 900 : 120,
        infiniband,
        driver,
        image,
        "0.1.0");
  }

  static Stream<ContainerPlan> plans() {
    return Stream.of(
        plan(8, true, Optional.of("580.95.05"), Optional.empty(), "/data/corpus"),
        plan(1, false, Optional.of("600.01"), Optional.of(DIGEST), "/data/corpus"),
        plan(2, false, Optional.of("550.54.14"), Optional.empty(), "/data/corpus"),
        plan(0, false, Optional.empty(), Optional.empty(), "/data/with space/$HOME \"it's\""),
        new ContainerPlan(
            "no-run",
            Optional.empty(),
            Path.of("/"),
            List.of(),
            Path.of("/runs"),
            4,
            1,
            120,
            false,
            Optional.empty(),
            Optional.empty(),
            "0.1.0"));
  }

  @ParameterizedTest
  @MethodSource("plans")
  void theFilesKeepTheRules(ContainerPlan plan, @TempDir Path folder)
      throws IOException, InterruptedException {
    Map<String, String> files = ContainerFiles.of(plan);
    assertThat(files)
        .containsOnlyKeys(
            "Dockerfile", "compose.yaml", "train.sbatch", "job.yaml", ".dockerignore", "NOTES.md");
    assertThat(ContainerLint.problems(files)).isEmpty();
    Path script =
        Files.writeString(folder.resolve("train.sbatch"), files.getOrDefault("train.sbatch", ""));
    Process bash =
        new ProcessBuilder("bash", "-n", script.toString()).redirectErrorStream(true).start();
    String complaint =
        new String(bash.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertThat(bash.waitFor()).as(complaint).isZero();
  }

  @ParameterizedTest
  @MethodSource("plans")
  void everyLineIsExplained(ContainerPlan plan) {
    Map<String, String> files = ContainerFiles.of(plan);
    String note = files.getOrDefault("NOTES.md", "");
    files.forEach(
        (name, text) -> {
          if (!name.equals("NOTES.md")) {
            text.lines()
                .filter(line -> !line.isBlank())
                .forEach(line -> assertThat(note).as(name).contains(line));
          }
        });
    assertThat(note).doesNotContain("```\n\n```");
  }

  @Test
  void theScriptMountsWhatItSays(@TempDir Path folder) throws IOException, InterruptedException {
    ContainerPlan plan = plan(1, false, Optional.empty(), Optional.empty(), "/data/it's $HOME");
    String mounts =
        ContainerFiles.of(plan)
            .getOrDefault("train.sbatch", "")
            .lines()
            .filter(line -> line.startsWith("MOUNTS="))
            .findFirst()
            .orElseThrow();
    Process bash =
        new ProcessBuilder("bash", "-c", "RUNS=/r\n" + mounts + "\nprintf %s \"$MOUNTS\"").start();
    assertThat(
            new String(
                bash.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8))
        .startsWith("/r:/runs,/data/it's $HOME:/data/it's $HOME:ro,");
    assertThat(bash.waitFor()).isZero();
  }

  @ParameterizedTest
  @CsvSource({
    "Dockerfile, USER trainer, USER root, runs as root",
    "Dockerfile, :25.12-py3, :latest, latest",
    "Dockerfile, nvidia/pytorch:25.12-py3, nvidia/pytorch, neither tag nor digest",
    "Dockerfile, HEALTHCHECK, LABEL, no health check",
    "compose.yaml, '    shm_size: 16gb', '    cpus: 3', shm_size",
    "compose.yaml, 'memlock: -1', 'core: 0', memlock",
    "compose.yaml, 'read_only: true', 'read_only: false', is writable",
    "compose.yaml, '    user: ', '    hostname: ', runs as root",
    "compose.yaml, 'services:', 'services: [', compose.yaml",
    "compose.yaml, '    init: true', '    privileged: true', privileged",
    "train.sbatch, set -euo pipefail, set -e, pipefail",
    "train.sbatch, ulimit -l unlimited, true, memlock",
    "train.sbatch, 'set -euo pipefail', 'set -euo pipefail\n#SBATCH --x=1', ignores",
    "train.sbatch, #!/bin/bash, #!/bin/sh, does not begin",
  })
  void theRulesNoticeWhatIsBroken(String file, String good, String bad, String problem) {
    Map<String, String> files =
        new HashMap<>(
            ContainerFiles.of(
                plan(2, false, Optional.of("580.95.05"), Optional.empty(), "/data/corpus")));
    String text = files.getOrDefault(file, "");
    assertThat(text).contains(good);
    files.put(file, text.replace(good, bad.replace("\\n", "\n")));
    assertThat(ContainerLint.problems(files)).anyMatch(found -> found.contains(problem));
  }

  @Test
  void theImageFollowsTheDriver() {
    assertThat(BaseImage.forDriver(Optional.of("595.71.05")).image()).endsWith("26.05-py3");
    assertThat(BaseImage.forDriver(Optional.of("580.65.06")).image()).endsWith("25.12-py3");
    assertThat(BaseImage.forDriver(Optional.empty()).image()).endsWith("25.12-py3");
    assertThat(BaseImage.forDriver(Optional.of("535.54.03")).install()).isPresent();
    assertThatThrownBy(() -> BaseImage.forDriver(Optional.of("470.57.02")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("470.57.02");
    assertThatThrownBy(() -> BaseImage.forDriver(Optional.of("latest")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("no driver version");
  }

  @Test
  void theDigestIsUsedAsGiven() {
    Map<String, String> files =
        ContainerFiles.of(
            plan(8, false, Optional.of("580.95.05"), Optional.of(DIGEST), "/data/corpus"));
    assertThat(files.get("Dockerfile")).contains("ARG BASE_IMAGE=" + DIGEST + "\n");
    assertThat(files.get("compose.yaml")).contains(DIGEST).contains("count: 8");
    assertThatThrownBy(
            () ->
                new ContainerPlan(
                    "a b; rm",
                    Optional.empty(),
                    Path.of("/"),
                    List.of(),
                    Path.of("/runs"),
                    1,
                    1,
                    120,
                    false,
                    Optional.empty(),
                    Optional.empty(),
                    "1"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void thePageInTheRepositoryIsUpToDate() throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "containers.md");
    assertThat(Files.readString(page))
        .as("docs/containers.md; write it anew with ./duoka container --docs > docs/containers.md")
        .isEqualTo(ContainerDocs.markdown());
  }
}
