package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

final class SourceFormatTests {
  @Test
  void everySourceIsFormatted() throws IOException, InterruptedException {
    Command check = Command.run(Repository.root(), "tools/format", "--check");
    assertThat(check.exitStatus())
        .as("run tools/format; it would change:\n%s", check.output())
        .isZero();
  }
}
