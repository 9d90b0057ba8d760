package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;
import java.time.Duration;

/** Section {@code launch}: how the ranks are shared out among processes. */
public record LaunchSettings(
    @Doc(
            value =
                "Ranks that each process holds, as threads. `auto` gives every process of the run"
                    + " an equal share, and a process that is started alone all ranks. How many"
                    + " processes there are says what starts them: docs/parallel.md.",
            byDefault = "auto")
        RanksPerProcess ranksPerProcess,
    @Doc(
            value =
                "How long a process waits for the others to come, and a rank for another to join an"
                    + " exchange, before the run ends with a message that says who is missing and"
                    + " where it is. A slow rank looks like a lost one: whatever a rank does"
                    + " between two exchanges must take less than this, reading weights from a slow"
                    + " disk too. A supervisor looks for hangs by limits of its own"
                    + " (`--hang-seconds`); the shorter of the two ends the run's attempt:"
                    + " docs/operations.md.",
            unit = "seconds",
            byDefault = "120",
            range = "[1, 86400]")
        int timeout) {
  /** {@link #timeout}. */
  public Duration limit() {
    return Duration.ofSeconds(timeout);
  }
}
