package dev.duoka.measure.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PeerTests {
  private static Peer.Result saying(String line) {
    return Peer.run("echo hello; echo '" + line + "'", new PrintWriter(new StringWriter()));
  }

  @Test
  void readsTheLastLine() {
    assertThat(saying("{\"tok_s\": 1200.5, \"peak_gb\": 3}"))
        .isEqualTo(new Peer.Result(1200.5, OptionalDouble.of(3)));
    assertThat(saying("{\"tokens_per_second\": 7, \"peak_gib\": 0.5}"))
        .isEqualTo(new Peer.Result(7, OptionalDouble.of(0.5)));
    assertThat(saying("{\"tok_s\": 7}")).isEqualTo(new Peer.Result(7, OptionalDouble.empty()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"peak_gb\": 3}; has neither tok_s nor tokens_per_second",
        "{}; has neither tok_s nor tokens_per_second",
        "{\"tok_s\": 0}; tok_s is 0.0",
        "{\"tok_s\": -5}; tok_s is -5.0",
        "{\"tok_s\": \"fast\"}; tok_s",
        "{\"tok_s\": 5, \"peak_gb\": 0}; peak_gb is 0.0",
        "done; the line 'done'"
      })
  void refusesAResultWithoutWhatWasPromised(String line, String problem) {
    assertThatThrownBy(() -> saying(line))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void refusesAPeerThatFails() {
    assertThatThrownBy(() -> Peer.run("exit 3", new PrintWriter(new StringWriter())))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("ended with status 3");
  }
}
