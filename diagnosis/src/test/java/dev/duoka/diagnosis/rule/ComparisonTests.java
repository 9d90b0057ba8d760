package dev.duoka.diagnosis.rule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class ComparisonTests {
  private static final Map<String, String> VALUES =
      Map.of("size", "1.50 GiB", "idle", "800.00 MiB", "rank", "3", "gpu", "0", "text", "many");

  @Test
  void comparesSizesInBytes() {
    assertThat(Comparison.of("idle < size").holds(VALUES)).isTrue();
    assertThat(Comparison.of("idle > 0.5 * size").holds(VALUES)).isTrue();
    assertThat(Comparison.of("idle > size").holds(VALUES)).isFalse();
    assertThat(Comparison.of("rank ! gpu").holds(VALUES)).isTrue();
    assertThat(Comparison.of("gpu = 0").holds(VALUES)).isTrue();
  }

  @Test
  void whatIsMissingOrNoNumberNeverHolds() {
    assertThat(Comparison.of("nothing < size").holds(VALUES)).isFalse();
    assertThat(Comparison.of("text ! size").holds(VALUES)).isFalse();
  }

  @Test
  void otherTextIsRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> Comparison.of("a <= b"));
  }
}
