package dev.duoka.train.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Damaged run files give a configuration or a clear error, never anything else. */
final class RunFileFuzzTests {
  private static final long SEED = 20261123;
  private static final String[] PIECES = {
    ":",
    "- ",
    "[",
    "]",
    "{",
    "}",
    "\n",
    "  ",
    "\t",
    "&a",
    "*a",
    "!!x",
    "'",
    "\"",
    "|",
    ">",
    "#",
    "null",
    "1e999",
    "-1",
    "99999999999999999999",
    "\0",
    "\uFEFF",
    "多",
    "? ",
    "---\n",
    "...\n",
    "%",
    "true",
    "<<: ",
    "0x10",
    ".inf",
    "\uD83D"
  };

  @Test
  void everyDamagedFileIsReadOrRefused() {
    Random random = new Random(SEED);
    int refused = 0;
    for (int i = 0; i < 1000; i++) {
      String text = damage(RunFileTests.FULL, random);
      try {
        RunConfig config = RunFile.parse("run.yaml", text, List.of());
        assertThat(RunFile.parse("again", RunFile.write(config), List.of())).isEqualTo(config);
      } catch (DuokaException e) {
        refused++;
        assertThat(e.code()).isEqualTo(ErrorCode.CONFIG);
      } catch (RuntimeException | StackOverflowError e) {
        fail("seed " + SEED + ", case " + i + ":\n" + text, e);
      }
    }
    assertThat(refused).isBetween(500, 1999);
  }

  private static String damage(String text, Random random) {
    StringBuilder damaged = new StringBuilder(text);
    for (int edits = 1 + random.nextInt(3); edits > 0; edits--) {
      int at = random.nextInt(damaged.length());
      switch (random.nextInt(4)) {
        case 0 -> damaged.insert(at, PIECES[random.nextInt(PIECES.length)]);
        case 1 -> damaged.deleteCharAt(at);
        case 2 -> damaged.delete(at, Math.min(damaged.length(), at + random.nextInt(40)));
        default ->
            damaged.replace(
                at, Math.min(damaged.length(), at + 3), PIECES[random.nextInt(PIECES.length)]);
      }
    }
    return damaged.toString();
  }
}
