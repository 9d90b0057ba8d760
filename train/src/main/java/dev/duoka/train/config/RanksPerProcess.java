package dev.duoka.train.config;

import java.util.OptionalInt;

/**
 * How many ranks each process of a run holds.
 *
 * @param count the number; empty for an equal share of all ranks
 */
public record RanksPerProcess(OptionalInt count) {
  private static final String AUTO = "auto";

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException if the text is neither {@code auto} nor a number of ranks
   */
  public static RanksPerProcess parse(String text) {
    if (text.equals(AUTO)) {
      return new RanksPerProcess(OptionalInt.empty());
    }
    if (text.matches("[1-9]\\d{0,5}")) {
      return new RanksPerProcess(OptionalInt.of(Integer.parseInt(text)));
    }
    throw new IllegalArgumentException("auto, or a number of ranks from 1 on");
  }

  /** The text form that {@link #parse} reads. */
  @Override
  public String toString() {
    return count.isPresent() ? Integer.toString(count.getAsInt()) : AUTO;
  }
}
