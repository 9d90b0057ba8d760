package dev.duoka.train.snapshot;

import java.util.Locale;

/** What a difference between two snapshots can change of a run, the gravest first. */
public enum Effect {
  /** What is learned: losses differ beyond rounding. */
  NUMBERS("can change the numbers"),
  /** The last bits: sums in another order, another algorithm for the same product. */
  ROUNDING("rounding only"),
  /** How long a step takes, or how much memory. */
  SPEED("only the speed"),
  /** Nothing of it. */
  NEITHER("neither");

  private final String text;

  Effect(String text) {
    this.text = text;
  }

  /** For people. */
  public String text() {
    return text;
  }

  /** For programs. */
  public String code() {
    return name().toLowerCase(Locale.ROOT);
  }
}
