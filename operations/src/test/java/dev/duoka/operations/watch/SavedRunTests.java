package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** What is saved of a run holds what was measured, and no more than was asked for. */
final class SavedRunTests {
  @TempDir Path folder;
  @TempDir Path elsewhere;
  private WatchedRun run;

  @BeforeEach
  void read() throws IOException {
    RunFolders.write(folder);
    Files.writeString(
        folder.resolve("run.log"),
        "said </script><script>x</script> by HF_TOKEN=planted-secret and"
            + " hf_plantedplantedplanted\n");
    Files.writeString(
        folder.resolve("answers.jsonl"),
        """
        {"step":1,"prompt":"old","expected":"a","answer":"b","ended":true}
        {"step":2,"prompt":"what","expected":"thirty","answer":"HF_TOKEN=planted-secret","ended":false}
        {"step":3,"prompt":"what","expected":"thirty","answer":"thirty","ended":true}
        {"step":4,"prompt":"what","expected":"thirty","answer":"thirty-one","ended":true}
        {"step":4,"prompt":"cut o
        """);
    run = RunFolders.run(folder);
    run.readAll();
  }

  private String html(String name, boolean withText) throws IOException {
    Path file = elsewhere.resolve(name);
    SavedRun.html(run, file, withText);
    return Files.readString(file);
  }

  private static JsonNode saved(String html) {
    String begin = "<script type=\"application/json\" id=\"saved\">";
    String json = html.substring(html.indexOf(begin) + begin.length());
    return Json.parse(
        json.substring(0, json.indexOf("</script>")).getBytes(StandardCharsets.UTF_8),
        "it",
        ErrorCode.FORMAT);
  }

  @Test
  void aSavedPageNeedsNothingElse() throws IOException {
    String html = html("page.html", false);
    assertThat(html)
        .contains("default-src 'none'; script-src 'sha256-")
        .doesNotContainPattern("<(?:script|link|img)[^>]*(?:src|href)=")
        .doesNotContain("unsafe-inline", folder.toString(), "HF_TOKEN");
    assertThat(saved(html).path("series").path("loss").path("values").toString())
        .isEqualTo("[5.5,4.5]");
    assertThat(saved(html).path("heat").path("layers")).hasSize(2);
  }

  @Test
  void textIsSavedWhenItIsAskedForAndSecretsNever() throws IOException {
    String html = html("with-text.html", true);
    assertThat(saved(html).path("run").path("log").asString()).contains("said </script>");
    assertThat(html.split("</script>")).hasSize(8); // five scripts, what is saved, and the end
    assertThat(html).doesNotContain("planted");
  }

  /** Of the newest validations alone, as the page shows them; not where no text is asked for. */
  @Test
  void answersAreTextOfTheRun() throws IOException {
    JsonNode answers = saved(html("with-text.html", true)).path("run").path("answers");
    assertThat(answers).extracting(it -> it.path("step").asLong()).containsExactly(2L, 3L, 4L);
    assertThat(answers.path(0).path("answer").asString()).isEqualTo("HF_TOKEN=•••");
    assertThat(answers.path(2).path("expected").asString()).isEqualTo("thirty");
    String without = html("without.html", false);
    assertThat(saved(without).path("run").path("answers")).isEmpty();
    assertThat(without).doesNotContain("thirty");
  }

  @Test
  void noFileIsOverwritten() throws IOException {
    Files.createFile(elsewhere.resolve("page.html"));
    assertThatThrownBy(() -> html("page.html", false))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("is there already");
  }

  /** Reads records back, and checks their sums. */
  private static List<ByteBuffer> records(Path file) throws IOException {
    ByteBuffer all = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<ByteBuffer> records = new ArrayList<>();
    while (all.hasRemaining()) {
      byte[] head = new byte[8];
      all.get(head);
      assertThat(all.getInt()).isEqualTo(EventFile.checksum(head, 8));
      byte[] content =
          new byte[(int) ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      all.get(content);
      assertThat(all.getInt()).isEqualTo(EventFile.checksum(content, content.length));
      records.add(ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN));
    }
    return records;
  }

  @Test
  void eventFilesHoldEveryValue() throws IOException {
    Path file = SavedRun.events(run, elsewhere.resolve("events"));
    assertThat(file.getFileName().toString()).startsWith("events.out.tfevents.");
    List<ByteBuffer> records = records(file);
    int values = run.history().with(all -> all.values().stream().mapToInt(Series::size).sum());
    assertThat(records).hasSize(1 + values);
    assertThat(new String(records.getFirst().array(), StandardCharsets.UTF_8))
        .endsWith("brain.Event:2");
    // time: field 1 of 8 bytes; step: field 2; summary: field 5, of one value: tag and a float.
    byte[] first = records.get(1).array();
    assertThat(first[0]).isEqualTo((byte) 0x09);
    assertThat(Arrays.copyOfRange(first, 9, 11)).containsExactly(0x10, 1);
    assertThat(first[11]).isEqualTo((byte) 0x2a);
    assertThat(Arrays.copyOfRange(first, 15, 21))
        .containsExactly(concat(0x0a, 4, "loss".getBytes(StandardCharsets.UTF_8)));
    assertThat(first[21]).isEqualTo((byte) 0x15);
    assertThat(records.get(1).getFloat(22)).isCloseTo(5.5f, within(0f));
  }

  private static byte[] concat(int tag, int length, byte... text) {
    byte[] all = new byte[2 + text.length];
    all[0] = (byte) tag;
    all[1] = (byte) length;
    System.arraycopy(text, 0, all, 2, text.length);
    return all;
  }

  /** Files of TensorFlow begin with a record of 24 bytes: 18 00 … 00, then a3 7f 4b 22. */
  @Test
  void checksumsAreTurnedAndMasked() {
    byte[] length = {24, 0, 0, 0, 0, 0, 0, 0};
    assertThat(Integer.toHexString(EventFile.checksum(length, 8))).isEqualTo("224b7fa3");
  }
}
