package dev.duoka.experiment.ladder;

import java.util.Comparator;
import java.util.List;

/**
 * Why a rung fails.
 *
 * @param check what it did not pass
 * @param reason what was seen, in one sentence
 * @param causes what is behind it, as far as was found, the likeliest first
 */
public record Fault(Check check, String reason, List<Cause> causes) {
  public Fault {
    causes =
        causes.stream().sorted(Comparator.comparing(Cause::kind)).toList(); // stable within a kind
  }

  /** What a rung must pass, in this order. */
  public enum Check {
    /** It computes what the rung below does. */
    PARITY("parity"),
    /** Its cards are its own. */
    CARDS("cards"),
    /** What its ranks exchange arrives, as fast as their links are. */
    LINKS("links"),
    /** It holds what was predicted. */
    MEMORY("memory"),
    /** It is as fast as was predicted, and its cards are used. */
    SPEED("speed");

    private final String words;

    Check(String words) {
      this.words = words;
    }

    /** For people. */
    @Override
    public String toString() {
      return words;
    }
  }
}
