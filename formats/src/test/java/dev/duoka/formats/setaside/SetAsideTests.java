package dev.duoka.formats.setaside;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SetAsideTests {
  @TempDir Path run;

  @Test
  void metricsArePartedAtAStepAndNoByteIsLost() throws IOException {
    Path metrics = run.resolve("metrics.jsonl");
    byte[] content =
        ("{\"step\":1,\"loss\":2.5}\n"
                + "{\"step\":2,\"loss\":2.4}\n"
                + "{\"step\":2,\"validation_loss\":2.6}\n"
                + "{\"step\":3,\"loss\":2.3,\"note\":\"\u00fc\"}\n"
                + "{\"step\":4,\"lo\n")
            .getBytes(StandardCharsets.UTF_8);
    Files.write(metrics, content);
    assertThat(MetricsCut.lastStep(metrics)).hasValue(3);
    Path after = run.resolve("after.jsonl");
    assertThat(MetricsCut.copyAfter(metrics, 2, after)).isEqualTo(2);
    MetricsCut.keepUpTo(metrics, 2);
    assertThat(Files.readAllLines(metrics)).hasSize(3);
    assertThat(Files.readString(metrics) + Files.readString(after))
        .isEqualTo(new String(content, StandardCharsets.UTF_8));
    MetricsCut.keepUpTo(metrics, 2);
    assertThat(Files.readAllLines(metrics)).hasSize(3);
  }

  @Test
  void noMetricsAreAnEmptyFile() throws IOException {
    Path after = run.resolve("after.jsonl");
    assertThat(MetricsCut.copyAfter(run.resolve("metrics.jsonl"), 2, after)).isZero();
    assertThat(after).isEmptyFile();
    assertThat(MetricsCut.lastStep(run.resolve("metrics.jsonl"))).isEmpty();
  }

  @Test
  void eachTimeHasAFolderOfItsOwn() throws IOException {
    Path first = SetAside.fresh(run, "after-step-8");
    Files.createDirectories(first);
    assertThat(SetAside.fresh(run, "after-step-8")).hasFileName("after-step-8-2");
  }

  @Test
  void onlyCopiesAreDeleted() throws IOException {
    Path copies = SetAside.preparing(SetAside.fresh(run, "a"));
    Path more = SetAside.preparing(SetAside.fresh(run, "b"));
    Path whole = SetAside.fresh(run, "c");
    for (Path folder : new Path[] {copies, more, whole}) {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("metrics.jsonl"), "");
    }
    Path checkpoint = Files.createDirectories(run.resolve("checkpoints/step-00000008"));
    SetAside.moveCheckpoint(checkpoint, more);
    SetAside.moveCheckpoint(checkpoint, more);
    SetAside.deletePrepared(run, "metrics.jsonl"::equals);
    assertThat(copies).doesNotExist();
    assertThat(more.resolve("checkpoints/step-00000008")).isDirectory();
    assertThat(whole).isDirectory();
  }
}
