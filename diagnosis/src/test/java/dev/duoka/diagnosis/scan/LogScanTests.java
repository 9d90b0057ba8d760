package dev.duoka.diagnosis.scan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.diagnosis.log.LogSource;
import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.rule.RuleBook;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LogScanTests {
  @ParameterizedTest
  @ValueSource(ints = {4096, 10_007, 1 << 20})
  void linesAndTheirNumbersDoNotDependOnTheBlocks(int blockSize) {
    Random random = new Random(11);
    List<Rule> rules = RuleBook.standard().rules();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 600; i++) {
      text.append("step ").append(i).append(" fine\n".repeat(random.nextInt(3) + 1));
      if (random.nextInt(40) == 0) {
        text.append(rules.get(random.nextInt(rules.size())).example()).append('\n');
      }
    }
    String[] lines = text.toString().split("\n", -1);
    Scan scan = scan(text.toString(), blockSize);
    assertThat(scan.lines()).isEqualTo(lines.length - 1);
    assertThat(scan.sightings()).isNotEmpty();
    for (Sighting s : scan.sightings()) {
      assertThat(lines[(int) s.number() - 1]).isEqualTo(s.line().text());
    }
    assertThat(scan.sightings()).hasSameSizeAs(scan(text.toString(), 1 << 22).sightings());
  }

  private static Scan scan(String text, int blockSize) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    LogSource source = new LogSource("test", () -> new ByteArrayInputStream(bytes));
    return new LogScan(RuleBook.standard(), 2, blockSize).scan(List.of(source));
  }
}
