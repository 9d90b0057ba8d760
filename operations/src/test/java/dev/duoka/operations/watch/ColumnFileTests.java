package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Long runs are read from columns, which say what the lines say or are made anew. */
final class ColumnFileTests {
  private static final int STEPS = 22_000;

  @TempDir Path temporary;
  private Path run;
  private Path cache;
  private final StringBuilder lines = new StringBuilder();

  @BeforeEach
  void writeLongRun() throws IOException {
    run = Files.createDirectories(temporary.resolve("run"));
    cache = temporary.resolve("run.columns");
    SplittableRandom random = new SplittableRandom(3);
    for (int step = 1; step <= STEPS; step++) {
      lines.append("{\"step\":").append(step).append(",\"loss\":");
      lines.append(step == 777 ? "null" : step == 5000 ? "99.5" : random.nextDouble());
      lines.append(",\"time\":").append(1000 + step).append(",\"seconds\":{\"total\":0.5}");
      lines.append(",\"further words so that lines are long\":\"").append("x".repeat(330));
      lines.append(step % 100 == 0 ? "\",\"rare\":" + step + "}\n" : "\"}\n");
    }
    Files.writeString(run.resolve("metrics.jsonl"), lines);
  }

  private MetricsHistory read(Optional<Path> columns) {
    MetricsHistory history = new MetricsHistory(new RunFiles(run), columns);
    while (history.readOn()) {
      // There is more.
    }
    return history;
  }

  private static Map<String, List<String>> content(MetricsHistory history) {
    return history.with(
        series -> {
          Map<String, List<String>> all = new LinkedHashMap<>();
          series.forEach(
              (name, one) -> {
                List<String> values = new ArrayList<>();
                for (int i = 0; i < one.size(); i++) {
                  values.add(one.step(i) + "=" + one.value(i));
                }
                all.put(name, values);
              });
          return all;
        });
  }

  private void sameAsTheLines(MetricsHistory history) {
    assertThat(content(history)).isEqualTo(content(read(Optional.empty())));
    assertThat(history.reading()).isEqualTo(read(Optional.empty()).reading());
    assertThat(history.times()).isEqualTo(read(Optional.empty()).times());
  }

  @Test
  void columnsSayWhatTheLinesSay() throws IOException {
    sameAsTheLines(read(Optional.of(cache)));
    assertThat(cache).exists();
    byte[] columns = Files.readAllBytes(cache);
    sameAsTheLines(read(Optional.of(cache)));
    Files.writeString(
        run.resolve("metrics.jsonl"),
        "{\"step\":" + (STEPS + 1) + ",\"loss\":7}\n",
        StandardOpenOption.APPEND);
    sameAsTheLines(read(Optional.of(cache)));
    assertThat(Files.readAllBytes(cache)).isEqualTo(columns);
  }

  /** No line is read again: here they say something else, but for their end. */
  @Test
  void linesThatAreInColumnsAreNotReadAgain() throws IOException {
    read(Optional.of(cache));
    Path file = run.resolve("metrics.jsonl");
    String changed = Files.readString(file).replaceFirst("\"loss\":0\\.\\d", "\"loss\":5.5");
    Files.writeString(file, changed);
    assertThat(Objects.requireNonNull(content(read(Optional.of(cache))).get("loss")).getFirst())
        .startsWith("1=0.");
  }

  @Test
  void aRunThatWentBackIsReadAnew() throws IOException {
    read(Optional.of(cache));
    Files.writeString(
        run.resolve("metrics.jsonl"), "{\"step\":1,\"loss\":3}\n{\"step\":2,\"loss\":2}\n");
    assertThat(content(read(Optional.of(cache))).get("loss")).containsExactly("1=3.0", "2=2.0");
  }

  @Test
  void oneSpikeAndOneNanShowAmongAll() {
    MetricsHistory history = read(Optional.of(cache));
    List<Long> bad = new ArrayList<>();
    List<Double> values = new ArrayList<>();
    history.<Integer>with(
        series -> {
          PixelColumns.show(
              Objects.requireNonNull(series.get("loss")),
              1,
              STEPS,
              300,
              new PixelColumns.Sink() {
                @Override
                public void value(long step, double value) {
                  values.add(value);
                }

                @Override
                public void notANumber(long step, int count) {
                  bad.add(step);
                }
              });
          return 0;
        });
    assertThat(bad).containsExactly(777L);
    assertThat(values).contains(99.5).hasSizeLessThanOrEqualTo(600);
  }

  @Test
  void damagedColumnsAreMadeAnew() throws IOException {
    read(Optional.of(cache));
    byte[] whole = Files.readAllBytes(cache);
    SplittableRandom random = new SplittableRandom(11);
    for (int i = 0; i < 6; i++) {
      byte[] damaged = whole.clone();
      damaged[i < 3 ? random.nextInt(200) : random.nextInt(whole.length)] ^= 0x10;
      Files.write(cache, damaged);
      sameAsTheLines(read(Optional.of(cache)));
      assertThat(Files.readAllBytes(cache)).isEqualTo(whole);
    }
    Files.write(cache, Arrays.copyOf(whole, whole.length / 2));
    sameAsTheLines(read(Optional.of(cache)));
  }

  @Test
  void whatIsWholeButSaysNonsenseIsNothing() throws IOException {
    Series series = new Series();
    series.add(1, 2);
    ColumnFile.write(cache, Json.object(), new LinkedHashMap<>(Map.of("loss", series)));
    assertThat(ColumnFile.read(cache)).isPresent();
    sameAsTheLines(read(Optional.of(cache)));
    Files.write(cache, "not columns".getBytes(StandardCharsets.UTF_8));
    assertThat(ColumnFile.read(cache)).isEmpty();
  }

  @Test
  void aCacheThatCannotBeWrittenCostsNothing() {
    sameAsTheLines(read(Optional.of(temporary.resolve("no folder/run.columns"))));
  }
}
