package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.LiveProbe;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that look at the machine, on this one and on captured text. */
final class MachineCommandTests {
  private static final String TABLE =
      """
      ==============NVSMI LOG==============
      Driver Version                            : 580.95.05
      Attached GPUs                             : 1
      GPU 00000000:10:00.0
          Product Name                          : NVIDIA H100 80GB HBM3
          Remapped Rows
              Pending                           : No
              Remapping Failure Occurred        : %s
      """;

  private final ProgramRun program = new ProgramRun();
  private final StringWriter out = program.out();
  private final StringWriter err = program.err();

  @TempDir Path folder;

  @Test
  void theExitStatusSaysWhetherSomethingIsWrong() throws IOException {
    Path sick = Files.writeString(folder.resolve("sick"), TABLE.formatted("Yes"));
    assertThat(program.run("doctor", "--from", sick.toString())).isEqualTo(1);
    assertThat(out.toString())
        .contains("1 × NVIDIA H100", "error", "remapping a memory row failed", "fix: ")
        .contains("could not see all they need");
    Path well = Files.writeString(folder.resolve("well"), TABLE.formatted("No"));
    assertThat(program.run("doctor", "--from", well.toString(), "--verbose")).isZero();
    assertThat(out.toString()).contains("not seen: kernel log: not in the captured outputs");
    assertThat(program.run("doctor", "--from", sick.toString(), "--json")).isEqualTo(1);
    byte[] json = out.toString().getBytes(StandardCharsets.UTF_8);
    assertThat(
            Json.parse(json, "output", ErrorCode.FORMAT)
                .get("findings")
                .get(0)
                .get("check")
                .stringValue())
        .isEqualTo("row-remap");
  }

  @Test
  void badInputGetsOneMessage() throws IOException {
    assertThat(program.run("doctor", "--from", folder.resolve("nowhere").toString())).isEqualTo(2);
    assertThat(err.toString()).contains("cannot read").hasLineCount(1);
    Path noise = Files.write(folder.resolve("noise"), new byte[] {0, 1, 2, (byte) 0xff});
    assertThat(program.run("doctor", "--from", noise.toString())).isEqualTo(1);
    assertThat(err.toString()).contains("no output that is known").hasLineCount(1);
    assertThat(program.run("doctor", "--capture", "x", "--from", "y")).isEqualTo(2);
    assertThat(err.toString()).contains("--capture");
    assertThat(program.run("container", "--gpus", "-1")).isEqualTo(2);
    assertThat(
            program.run("container", "--gpus", "1", "--driver", "abc", "--out", folder.toString()))
        .isEqualTo(2);
    assertThat(err.toString()).contains("no driver version").hasLineCount(1);
  }

  @Test
  void aCaptureOfThisMachineCanBeExamined() {
    Path target = folder.resolve("captured");
    assertThat(program.run("doctor", "--capture", target.toString())).isZero();
    assertThat(target.resolve("manifest.json")).exists();
    assertThat(program.run("doctor", "--from", target.toString())).isBetween(0, 1);
    assertThat(err.toString()).isEmpty();
    assertThat(program.run("doctor", "--capture", target.toString())).isEqualTo(2);
  }

  @Test
  void theMemoryOfAPlanIsHeldAgainstTheHost() throws IOException {
    Path memory = Files.writeString(folder.resolve("memory"), "MemTotal: 16777216 kB\n");
    Path run =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: deepseek-llm-7b}
            data: {sources: [jdk:src], sequence_length: 256}
            training: {tokens_per_step: 8192, steps: 300}
            """);
    assertThat(program.run("doctor", "--from", memory.toString(), "--plan", run.toString()))
        .isEqualTo(1);
    assertThat(out.toString()).contains("6.91 billion parameters", "the host has 16.00 GiB");
  }

  @Test
  void writesTheFilesOfAContainer() throws IOException {
    Path corpus = Files.writeString(folder.resolve("corpus.txt"), "text");
    Path run =
        Files.writeString(
            folder.resolve("my run.yaml"),
            """
            model: {preset: tiny-v3}
            data: {sources: ['%s'], sequence_length: 256}
            training: {tokens_per_step: 8192, steps: 300}
            parallel: {data: 4}
            """
                .formatted(corpus));
    Path target = folder.resolve("box");
    assertThat(
            program.run(
                "container", run.toString(), "--out", target.toString(), "--driver", "580.95.05"))
        .isZero();
    assertThat(Files.readString(target.resolve("compose.yaml")))
        .contains("count: 4", corpus.toString(), "/runs/my-run");
    assertThat(Files.readString(target.resolve("NOTES.md"))).contains("580.95.05");
    assertThat(target.resolve("train.sbatch")).exists();
  }

  @Test
  void aContainerWithoutRunFileNeedsToKnowTheGpus() throws IOException {
    String target = folder.resolve("bare").toString();
    if (LiveProbe.read().gpuList().isEmpty()) {
      assertThat(program.run("container", "--out", target)).isEqualTo(2);
      assertThat(err.toString()).contains("give --gpus 8, or --gpus 0 for the CPU alone");
    }
    assertThat(program.run("container", "--gpus", "0", "--out", target)).isZero();
    assertThat(Files.readString(folder.resolve("bare").resolve("compose.yaml")))
        .doesNotContain("driver: nvidia");
    assertThat(Files.readString(folder.resolve("bare").resolve("train.sbatch")))
        .doesNotContain("gres");
  }
}
