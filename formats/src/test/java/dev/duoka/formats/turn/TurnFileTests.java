package dev.duoka.formats.turn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TurnFileTests {
  @TempDir Path folder;

  @Test
  void whatOneSaysTheOtherSees() {
    TurnFile made = TurnFile.create(folder.resolve("turns"));
    TurnFile opened = TurnFile.open(folder.resolve("turns"));
    assertThat(opened.limit(1)).isZero();
    made.allow(1, 15);
    assertThat(opened.limit(1)).isEqualTo(15);
    assertThat(opened.limit(0)).isZero();
    opened.stand(1, 0, 15);
    assertThat(made.stands(1, 1, 15)).isTrue();
    assertThat(made.stands(1, 2, 15)).as("rank 1 is on its way").isFalse();
    opened.stand(1, 1, 15);
    assertThat(made.stands(1, 2, 15)).isTrue();
    assertThat(made.stands(1, 2, 20)).isFalse();
    assertThat(made.stands(0, 2, 0)).as("nobody of run 0 has come to its first step").isFalse();
  }

  @Test
  void anotherFileIsNoFileOfTurns() throws IOException {
    Path other = Files.writeString(folder.resolve("other"), "x".repeat(100_000));
    assertThatThrownBy(() -> TurnFile.open(other))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("is no file of turns");
    assertThatThrownBy(() -> TurnFile.open(folder.resolve("none")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("cannot open the file of turns");
  }

  @Test
  void thereIsRoomForEightRuns() {
    TurnFile made = TurnFile.create(folder.resolve("turns"));
    assertThatThrownBy(() -> made.allow(TurnFile.RUNS, 1))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("run 8");
  }
}
