package dev.duoka.train.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineageTests {
  private static SnapshotLog.Start start(int number, long after, String hash) {
    return new SnapshotLog.Start(number, Instant.EPOCH, after, hash);
  }

  private static SnapshotLog.WentBack back(long step) {
    return new SnapshotLog.WentBack(Instant.EPOCH, step, "set-aside/x");
  }

  @Test
  void aStepIsThatOfTheStartThatTookItLast() {
    Lineage lineage = new Lineage(List.of(start(1, 0, "a"), start(2, 20, "b"), start(3, 40, "c")));
    assertThat(lineage.of(20)).hasValueSatisfying(it -> assertThat(it.number()).isEqualTo(1));
    assertThat(lineage.of(21)).hasValueSatisfying(it -> assertThat(it.number()).isEqualTo(2));
    assertThat(lineage.of(60)).hasValueSatisfying(it -> assertThat(it.number()).isEqualTo(3));
    assertThat(lineage.of(0)).isEmpty();
  }

  /** As when a supervisor takes a run back that has diverged. */
  @Test
  void aStartAtAnEarlierStepTakesBackWhatCameAfter() {
    Lineage lineage = new Lineage(List.of(start(1, 0, "a"), start(2, 20, "b"), start(3, 10, "c")));
    assertThat(lineage.has(start(2, 20, "b"))).isFalse();
    assertThat(lineage.of(30)).hasValueSatisfying(it -> assertThat(it.number()).isEqualTo(3));
    assertThat(lineage.firstOfNewest())
        .hasValueSatisfying(it -> assertThat(it.afterStep()).isEqualTo(10));
  }

  @Test
  void theNewestSnapshotBeganWithTheFirstOfItsStarts() {
    Lineage lineage =
        new Lineage(
            List.of(start(1, 0, "a"), start(2, 10, "b"), start(3, 20, "b"), start(4, 30, "b")));
    assertThat(lineage.firstOfNewest())
        .hasValueSatisfying(it -> assertThat(it.afterStep()).isEqualTo(10));
    assertThat(new Lineage(List.of(start(1, 0, "a"), start(2, 10, "a"))).firstOfNewest()).isEmpty();
  }

  @Test
  void afterARollbackTheOneBeforeCounts() {
    Lineage lineage =
        new Lineage(List.of(start(1, 0, "a"), start(2, 10, "b"), start(3, 20, "c"), back(20)));
    assertThat(lineage.has(start(3, 20, "c"))).isFalse();
    assertThat(lineage.firstOfNewest())
        .hasValueSatisfying(it -> assertThat(it.afterStep()).isEqualTo(10));
  }
}
