package dev.duoka.diagnosis.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class UnwrappedTextTests {
  private static final String LINE =
      "[rank3]:[E429 13:55:49.384372190 ProcessGroupNCCL.cpp:1743] [Rank 3] the watchdog got stuck"
          + " for 480 seconds without making progress in monitoring enqueued collectives";

  private static UnwrappedText of(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return UnwrappedText.of(new TextBlock(bytes, bytes.length));
  }

  private static String text(UnwrappedText unwrapped) {
    TextBlock block = unwrapped.block();
    return new String(block.bytes(), 0, block.length(), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @ValueSource(ints = {66, 70, 90, 100})
  void aWrappedLineIsWholeAgainAndKeepsItsNumber(int width) {
    StringBuilder paste = new StringBuilder("a first line\n");
    for (int i = 0; i < LINE.length(); i += width) {
      paste.append(LINE, i, Math.min(LINE.length(), i + width)).append('\n');
    }
    int pieces = (LINE.length() + width - 1) / width;
    UnwrappedText unwrapped = of(paste + "a last line\n");
    assertThat(text(unwrapped)).isEqualTo("a first line\n" + LINE + "\na last line\n");
    assertThat(unwrapped.number(2)).isEqualTo(2);
    assertThat(unwrapped.number(3)).isEqualTo(2 + pieces);
    assertThat(unwrapped.breaks(3)).isEqualTo(2 + pieces);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        """
        INFO loading the weights of the model from the folder that was named at the start of it
        Loading checkpoint shards: 100%
        """,
        """
        WARNING a long line of a log that is the longest of all of them, and ends with a word
        step 1 loss 2.3
        """,
        """
        [rank1]: ImportError: /users/u/.cache/cpu_adam.so: cannot open shared object file here
        Exception ignored in: <function DeepSpeedCPUAdam.__del__ at 0x155470f83880>
        """
      })
  void theLongestLineIsNotForThatWrapped(String log) {
    assertThat(text(of(log))).isEqualTo(log);
  }

  @Test
  void linesOfOneFormAndOneWidthStayApart() {
    String log =
        "epoch 001 loss 2.31 accuracy 0.12 throughput 812 samples per second on 8 cards\n"
            .repeat(20);
    assertThat(text(of(log))).isEqualTo(log);
  }
}
