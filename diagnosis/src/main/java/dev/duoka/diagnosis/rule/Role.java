package dev.duoka.diagnosis.rule;

import java.util.Locale;

/** What a line proves, strongest first. */
public enum Role {
  /** Names a cause that needs no further one. */
  ROOT("names a cause"),
  /** Says that something failed, but not why. */
  SYMPTOM("says that something failed, not why"),
  /** Reports the end of another process or thread. */
  MESSENGER("reports that another process or thread failed"),
  /** Follows from a failure that came before. */
  CASCADE("follows from an earlier failure"),
  /** Makes other findings more certain and is nothing by itself. */
  CONFIRMATION("supports other findings"),
  /** Is only there for the conditions of other rules. */
  CONTEXT("is there for other rules' conditions");

  private final String meaning;

  Role(String meaning) {
    this.meaning = meaning;
  }

  /** Half a sentence for the documentation. */
  public String meaning() {
    return meaning;
  }

  /** The name in rules: {@code root}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether a line of this role may be reported as a finding where nothing stronger is there. */
  public boolean canStandAlone() {
    return this != CONFIRMATION && this != CONTEXT;
  }
}
