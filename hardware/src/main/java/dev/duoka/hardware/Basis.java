package dev.duoka.hardware;

import java.util.Locale;

/** How far a number can be trusted; later constants are weaker. */
public enum Basis {
  /** Follows from definitions: counted bytes, data-sheet rates. */
  EXACT("="),
  /** Rests on something that somebody measured, on such a card or machine. */
  MEASURED("m"),
  /** Estimated, because nothing was measured. */
  ASSUMED("~");

  private final String sign;

  Basis(String sign) {
    this.sign = sign;
  }

  /** The mark in tables: {@code =}, {@code m} or {@code ~}. */
  public String sign() {
    return sign;
  }

  /** The weaker of two. */
  public Basis and(Basis other) {
    return compareTo(other) >= 0 ? this : other;
  }

  /** For example {@code measured}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
