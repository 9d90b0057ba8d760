package dev.duoka.doctor.check;

import java.util.Locale;

/** How bad a finding is. */
public enum Severity {
  /** Training fails, computes wrongly, or damages results. */
  ERROR,
  /** Training works, but slower or at risk. */
  WARNING,
  /** Worth knowing; nothing has to be done. */
  NOTE;

  /** For texts and JSON: {@code error}, {@code warning}, {@code note}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
