package dev.duoka.doctor.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.testing.FakeMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** The page, the tables it is made of, and the JSON that it documents. */
class DoctorDocsTests {
  @Test
  void thePageInTheRepositoryIsUpToDate() throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "doctor.md");
    assertThat(Files.readString(page))
        .as("docs/doctor.md; write it anew with ./duoka doctor --docs > docs/doctor.md")
        .isEqualTo(DoctorDocs.markdown());
  }

  @Test
  void theTablesAreInOrderAndComplete() {
    Compatibility table = Compatibility.load();
    assertThat(table.toolkits())
        .isSortedAccordingTo((a, b) -> Version.of(b.driver()).compareTo(Version.of(a.driver())));
    for (Compatibility.Build build : table.builds()) {
      assertThat(table.minimumDriver(build.cuda())).as(build.toString()).isPresent();
      assertThat(table.toolkitDriver(build.cuda())).as(build.toString()).isPresent();
    }
    assertThat(table.lines())
        .extracting(Compatibility.Line::driver)
        .contains(Optional.of("535.54.03"), Optional.of("580.65.06"));
    assertThat(table.newestFor("580.95.05").orElseThrow().cuda()).isEqualTo("13.0");
    assertThat(table.newestFor("550.54.14").orElseThrow().cuda()).startsWith("12.");
    assertThat(table.newestFor("470.1")).isEmpty();
    assertThat(Checks.ALL).extracting(check -> check.info().id()).doesNotHaveDuplicates();
  }

  @Test
  void versionsAreNumbers() {
    assertThat(Version.of("9.10.2").isBefore("9.9")).isFalse();
    assertThat(Version.of("2.11.0+cu130").majorMinor()).isEqualTo("2.11");
    assertThat(Version.of("9.17.1").isBefore("9.17.1.4")).isFalse();
    assertThat(Version.of("9.17.0.9").isBefore("9.17.1")).isTrue();
    assertThat(Version.of("unknown").isKnown()).isFalse();
    assertThat(Version.of("2.10.0a0+b4e4ee81d3").isBefore("2.10")).isFalse();
  }

  @Test
  void theJsonHasTheDocumentedFields(@TempDir Path folder) {
    FakeMachine machine = new FakeMachine(2);
    machine.cards.get(1).remapPending = "Yes";
    CopyResult copy =
        new CopyResult(
            "cuda:0 to cuda:1", CopyResult.Kind.PEER, true, 64, -1, 20, Optional.empty());
    DoctorReport diagnosis =
        Doctor.examine(machine.snapshot(folder), Reading.of(List.of(copy)), Optional.empty());
    JsonNode json =
        Json.parse(
            Json.line(DoctorReportJson.of(diagnosis))
                .getBytes(java.nio.charset.StandardCharsets.UTF_8),
            "json",
            dev.duoka.base.ErrorCode.FORMAT);
    assertThat(json.get("healthy").booleanValue()).isFalse();
    assertThat(json.get("findings").get(0).propertyNames())
        .containsExactly("check", "severity", "evidence", "consequence", "fix");
    assertThat(json.get("checks").size()).isEqualTo(Checks.ALL.size());
    assertThat(json.get("copies").get(0).get("intact").booleanValue()).isTrue();
    assertThat(json.get("machine").get("gpus").size()).isEqualTo(2);
    json.propertyNames()
        .forEach(name -> assertThat(DoctorDocs.markdown()).contains("| `" + name + "` |"));
  }
}
