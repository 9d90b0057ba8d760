package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MetricsHistoryTests {
  @TempDir Path folder;

  private static String text(MetricsHistory history, String name) {
    while (history.readOn()) {
      // There is more.
    }
    return history.with(
        series -> {
          Series one = series.get(name);
          StringBuilder text = new StringBuilder();
          for (int i = 0; one != null && i < one.size(); i++) {
            text.append(one.step(i)).append('=').append(one.value(i)).append(' ');
          }
          return text.toString().strip();
        });
  }

  private void append(String text) throws IOException {
    Files.writeString(
        folder.resolve("metrics.jsonl"),
        text,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  @Test
  void namesAllMeasures() throws IOException {
    RunFolders.write(folder);
    MetricsHistory history = new MetricsHistory(new RunFiles(folder), Optional.empty());
    assertThat(text(history, "loss")).isEqualTo("1=5.5 2=NaN 3=4.5");
    assertThat(text(history, "validation_loss")).isEqualTo("3=4.25");
    assertThat(text(history, "seconds.total")).isEqualTo("1=0.5 2=0.25");
    assertThat(text(history, "memory.live_bytes")).isEqualTo("1=1024.0");
    assertThat(text(history, "exposed_seconds.data")).isEqualTo("2=0.01");
    assertThat(text(history, "grad_range.max:model.layers.0")).isEqualTo("3=3.0");
    assertThat(text(history, "grad_range.max:lm_head")).isEqualTo("3=NaN");
    assertThat(text(history, "grad_range.rms:model.layers.0")).isEqualTo("3=0.5");
    assertThat(history.<Boolean>with(series -> series.containsKey("memory.driver_bytes_of")))
        .isFalse();
  }

  @Test
  void readsOnAndLeavesALineThatIsBeingWritten() throws IOException {
    MetricsHistory history = new MetricsHistory(new RunFiles(folder), Optional.empty());
    assertThat(text(history, "loss")).isEmpty();
    append("{\"step\":1,\"loss\":1}\n{\"step\":2,\"lo");
    assertThat(text(history, "loss")).isEqualTo("1=1.0");
    append("ss\":2}\n");
    assertThat(text(history, "loss")).isEqualTo("1=1.0 2=2.0");
    assertThat(history.reading().unreadable()).isZero();
  }

  @Test
  void beginsAgainWhereTheFileWasReplacedByALongerOne() throws IOException {
    append("{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":2}\n");
    MetricsHistory history = new MetricsHistory(new RunFiles(folder), Optional.empty());
    assertThat(text(history, "loss")).isEqualTo("1=1.0 2=2.0");
    Files.delete(folder.resolve("metrics.jsonl"));
    append("{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":7}\n{\"step\":3,\"loss\":8}\n");
    assertThat(text(history, "loss")).isEqualTo("1=1.0 2=7.0 3=8.0");
  }

  @Test
  void aStepThatIsTakenAgainReplacesWhatFollowedIt() throws IOException {
    append("{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":2}\n{\"step\":3,\"loss\":3}\n");
    append("{\"step\":2,\"loss\":9}\n");
    assertThat(text(new MetricsHistory(new RunFiles(folder), Optional.empty()), "loss"))
        .isEqualTo("1=1.0 2=9.0");
  }

  @Test
  void countsLinesThatAreNoMetrics() throws IOException {
    append(
        "{\"step\":1,\"loss\":1}\nnonsense\n[]\n{\"loss\":4}\n{\"step\":2}}\n\n{\"step\":\"2\"}\n");
    append("x".repeat(9 << 20) + "\n{\"step\":2,\"loss\":2}\n");
    MetricsHistory history = new MetricsHistory(new RunFiles(folder), Optional.empty());
    assertThat(text(history, "loss")).isEqualTo("1=1.0 2=2.0");
    assertThat(history.reading().unreadable()).isEqualTo(7);
    assertThat(history.reading().bytes()).isEqualTo(history.reading().of());
  }
}
