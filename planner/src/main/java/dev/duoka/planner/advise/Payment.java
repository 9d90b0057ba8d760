package dev.duoka.planner.advise;

import java.util.Locale;

/** What a budget is for. */
public enum Payment {
  /** Renting for the job or buying the cards, whichever it suffices for. */
  EITHER,
  /** Renting the machine for as long as the job takes. */
  RENT,
  /** Buying the cards. */
  BUY;

  /** For example {@code buy}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
