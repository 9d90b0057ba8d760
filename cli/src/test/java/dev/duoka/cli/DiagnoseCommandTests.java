package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

final class DiagnoseCommandTests {
  private static final String FAILURE = "RuntimeError: CUDA error: invalid device ordinal\n";

  private final ProgramRun program = new ProgramRun();
  private final StringWriter out = program.out();
  private final StringWriter err = program.err();

  @TempDir private Path folder = Path.of("");

  private String log(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text).toString();
  }

  @Test
  void theExitStatusSaysWhetherTheRunFailed() throws IOException {
    assertThat(program.run("diagnose", log("bad.log", FAILURE))).isEqualTo(1);
    assertThat(out.toString()).contains("evidence", "bad.log:1: ", "what to do");
    assertThat(program.run("diagnose", log("good.log", "step 1 loss 10.9\n"))).isZero();
    assertThat(out.toString()).contains("Nothing failed");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void whatTheRunSurvivedIsShownAndIsNoFailure() throws IOException {
    String survived =
        log(
            "s.log",
            """
            torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.
            step 1 loss 10.9
            step 2 loss 10.8
            step 3 loss 9.1
            """);
    assertThat(program.run("diagnose", survived)).isZero();
    assertThat(out.toString()).contains("Nothing failed", "The run went on after", "s.log:1: ");
  }

  @Test
  void jsonIsOneObjectOnStandardOutput() throws IOException {
    assertThat(program.run("diagnose", log("rank2.log", FAILURE), "--json")).isEqualTo(1);
    JsonNode json =
        Json.parse(out.toString().getBytes(StandardCharsets.UTF_8), "output", ErrorCode.FORMAT);
    JsonNode finding = json.get("findings").get(0);
    for (String field :
        List.of(
            "root_cause",
            "component",
            "confidence",
            "evidence_line",
            "line_number",
            "rank",
            "remedy")) {
      assertThat(finding.has(field)).as(field).isTrue();
    }
    assertThat(finding.get("rank").asInt()).isEqualTo(2);
    assertThat(finding.get("ranks").get(0).asInt()).isEqualTo(2);
    assertThat(json.get("survived").isArray()).isTrue();
  }

  @Test
  void logsThatWindowsWroteAreRead() throws IOException {
    Path file = folder.resolve("w.log");
    Files.write(file, ("\ufeff" + FAILURE).getBytes(StandardCharsets.UTF_16LE));
    assertThat(program.run("diagnose", file.toString())).isEqualTo(1);
    assertThat(out.toString()).contains(FAILURE.strip());
  }

  @Test
  void whatIsNoLogGetsOneClearMessage() throws IOException {
    byte[] noise = new byte[6000];
    new java.util.Random(3).nextBytes(noise);
    Path binary = Files.write(folder.resolve("core"), noise);
    Path cut = Files.write(folder.resolve("a.gz"), new byte[] {0x1f, (byte) 0x8b, 8});
    refused("binary data", "diagnose", binary.toString());
    refused("cut off", "diagnose", cut.toString());
    refused("is empty", "diagnose", log("empty.log", ""));
    refused("there is no such file", "diagnose", folder.resolve("missing.log").toString());
    refused("name log files", "diagnose");
  }

  @Test
  void theDocumentationReadsNoLog() throws IOException {
    assertThat(program.run("diagnose", "--docs")).isZero();
    assertThat(out.toString()).startsWith("# Why a run failed");
    String log = log("a.log", FAILURE);
    refused("--docs", "diagnose", log, "--docs");
    refused("--docs", "diagnose", log, "--json", "--docs");
    refused("--docs", "diagnose", "--json", "--docs");
  }

  private void refused(String message, String... arguments) {
    assertThat(program.run(arguments)).as(message).isEqualTo(2);
    assertThat(out.toString()).isEmpty();
    assertThat(err.toString())
        .contains(message)
        .doesNotContain("Exception", "internal error", "\tat ");
  }
}
