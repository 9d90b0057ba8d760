package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Ladders of runs that really train, on two ranks of a CPU. */
@Timeout(300)
final class LadderCommandTests {
  @TempDir Path folder;

  @BeforeEach
  void writeRunFile() throws IOException {
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    for (int document = 0; document < 40; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    Files.writeString(
        folder.resolve("small.yaml"),
        """
        model: {preset: tiny-llama}
        data: {sources: [%s], sequence_length: 32, cache: %s}
        training: {tokens_per_step: 256, micro_batch: 2, steps: 100}
        parallel: {data: 2, zero: 1}
        device: cpu
        threads: 1
        """
            .formatted(corpus, folder.resolve("cache")));
  }

  /** No limit on speed: this machine may have other work. */
  private JsonNode climb(int status, List<Path> before) throws Exception {
    List<String> classes = new ArrayList<>(before.stream().map(Path::toString).toList());
    classes.add(System.getProperty("jdk.module.path", ""));
    classes.add(System.getProperty("java.class.path", ""));
    Path errors = folder.resolve("errors");
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                String.join(File.pathSeparator, classes),
                "dev.duoka.cli.Main",
                "ladder",
                "small.yaml",
                "--steps",
                "12",
                "--least-speed",
                "0",
                "--least-efficiency",
                "0",
                "--out",
                "ladder",
                "--json")
            .directory(folder.toFile())
            .redirectError(errors.toFile());
    builder.environment().put("XDG_STATE_HOME", folder.resolve("state").toString());
    Process process = builder.start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as("%s%s", output, Files.readString(errors)).isEqualTo(status);
    assertThat(errors).content().contains("duoka: rung 1, one rank: ", "duoka: rung 2, data 2: ");
    return Json.parse(output.getBytes(StandardCharsets.UTF_8), "ladder", ErrorCode.FORMAT);
  }

  @Test
  void twoRanksAreProvenByOne() throws Exception {
    JsonNode ladder = climb(0, List.of());
    assertThat(ladder.path("whole").asBoolean()).isTrue();
    assertThat(ladder.path("parity_tokens_per_step").asInt()).isEqualTo(256);
    assertThat(ladder.path("tokens_per_card").asInt()).isEqualTo(128);
    JsonNode second = ladder.path("rungs").get(1);
    assertThat(second.path("parity").path("loss").asDouble()).isLessThan(1e-5);
    assertThat(second.path("parity").path("rounding_measured").asBoolean()).isTrue();
    assertThat(second.path("small_likeness").path("holds").asBoolean()).isTrue();
    JsonNode memory = second.path("memory");
    assertThat(memory.path("measured_bytes").asLong())
        .as("ZeRO shares the states of the optimizer, as predicted")
        .isLessThan(ladder.path("rungs").get(0).path("memory").path("measured_bytes").asLong());
    assertThat(memory.path("predicted_bytes").asLong()).isPositive();
    assertThat(second.path("speed").path("predicted_seconds").asDouble()).isPositive();
    assertThat(second.path("speed").path("efficiency").path("estimate").asDouble()).isPositive();
    assertThat(folder.resolve("ladder/ladder.svg")).content().contains("data 2");
    assertThat(folder.resolve("ladder/all-cards.yaml")).content().contains("data: 2");
  }

  /** The program itself, but that sums of several ranks are what the first one has. */
  @Test
  void aWrongSumStopsAtTheSecondRungAndIsNamed() throws Exception {
    JsonNode ladder = climb(1, List.of(wrongSum()));
    assertThat(ladder.path("whole").asBoolean()).isFalse();
    assertThat(ladder.path("rungs").get(0).has("fault")).isFalse();
    JsonNode fault = ladder.path("rungs").get(1).path("fault");
    assertThat(fault.path("check").asString()).isEqualTo("parity");
    assertThat(fault.path("reason").asString()).contains("on data 2 has a ", "differ by more");
    List<String> causes = new ArrayList<>();
    fault.path("causes").forEach(cause -> causes.add(cause.path("text").asString()));
    assertThat(causes)
        .anyMatch(text -> text.startsWith("reduce-scatter by copies") && text.contains("wrong"))
        .anyMatch(
            text ->
                text.startsWith("gradient of ") && text.contains("reduce-scatter of all ranks"));
    assertThat(folder.resolve("ladder/all-cards.yaml")).doesNotExist();
  }

  private Path wrongSum() throws IOException {
    String name = "dev/duoka/comm/OrderedSum.class"; // of a module that commands do not see
    Path file = folder.resolve("planted").resolve(name);
    Files.createDirectories(file.getParent());
    try (InputStream bytes = ClassLoader.getSystemResourceAsStream(name)) {
      ClassFile classes = ClassFile.of();
      Files.write(
          file,
          classes.transformClass(
              classes.parse(Objects.requireNonNull(bytes).readAllBytes()),
              ClassTransform.transformingMethodBodies(
                  (code, element) -> {
                    if (element instanceof InvokeInstruction call
                        && call.name().equalsString("addInPlace")) {
                      code.pop().pop(); // its two tensors: nothing is added
                    } else {
                      code.with(element);
                    }
                  })));
    }
    return folder.resolve("planted");
  }
}
