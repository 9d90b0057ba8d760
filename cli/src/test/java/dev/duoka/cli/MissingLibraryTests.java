package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A LibTorch that cannot be loaded ends every command that computes in its message, and in that.
 */
class MissingLibraryTests {
  @TempDir Path folder;

  @BeforeEach
  void aRunFile() throws IOException {
    Files.writeString(
        folder.resolve("run.yaml"),
        """
        model: {preset: tiny-llama}
        data: {sources: [jdk:src/java.base/java/lang/A*], sequence_length: 64}
        training: {tokens_per_step: 128, steps: 3}
        device: cpu
        """);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train RUN --run-dir FOLDER/run",
        "profile RUN --trace FOLDER/trace.json",
        "parity GOLDEN",
        "generate GOLDEN --prompt x",
        "bench memory --device meta",
        "bench train --device cpu --model tiny-llama --seq 64",
        "plan --model deepseek-coder-1.3b --machine 8xA100-80G-SXM --verify"
      })
  void endsInItsMessage(String command) throws IOException, InterruptedException {
    Path nowhere = folder.resolve("nowhere");
    assertThat(output(command, nowhere))
        .contains("duoka: DUOKA_LIBTORCH names " + nowhere + ", which cannot be used")
        .doesNotContain("Initializer", "NoClassDef", "\tat ", "internal error", "cannot allocate");
    Path broken = Files.createDirectories(folder.resolve("broken"));
    Path library = Files.writeString(broken.resolve("libtorch_cpu.so"), "no library");
    assertThat(output(command, broken))
        .contains("duoka: cannot load " + library + " (DUOKA_LIBTORCH): it is no shared library")
        .doesNotContain("Initializer", "NoClassDef", "\tat ", "internal error", "execstack");
  }

  @Test
  void aPreviewNeedsNone() throws IOException, InterruptedException {
    assertThat(output("preview RUN --records 1", folder.resolve("nowhere"), 0))
        .contains("sequence 1: 65 tokens");
  }

  private String output(String command, Path torch) throws IOException, InterruptedException {
    return output(command, torch, 1);
  }

  private String output(String command, Path torch, int status)
      throws IOException, InterruptedException {
    List<String> words =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(
                    File.pathSeparator,
                    System.getProperty("jdk.module.path", ""),
                    System.getProperty("java.class.path", "")),
                "dev.duoka.cli.Main"));
    String golden = System.getProperty("duoka.repository", "..") + "/golden/v3";
    Arrays.stream(command.split(" "))
        .map(word -> word.replace("RUN", folder + "/run.yaml"))
        .map(word -> word.replace("FOLDER", folder.toString()).replace("GOLDEN", golden))
        .forEach(words::add);
    ProcessBuilder builder = new ProcessBuilder(words).redirectErrorStream(true);
    builder.environment().put("DUOKA_LIBTORCH", torch.toString());
    builder.environment().put("LC_ALL", "C.UTF-8");
    Process process = builder.start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(text).isEqualTo(status);
    return text;
  }
}
