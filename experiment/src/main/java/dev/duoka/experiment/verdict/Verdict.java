package dev.duoka.experiment.verdict;

/** What is said of a difference. */
public enum Verdict {
  /** The whole interval lies within what makes no difference. */
  SAME("same"),
  /** The interval excludes 0, on the good side. */
  BETTER("better"),
  /** The interval excludes 0, on the bad side, or the arm could not run. */
  WORSE("worse"),
  /** Neither: the interval is too wide. */
  NOT_ENOUGH_DATA("not enough data"),
  /** What was tried cannot be compared in this. */
  NOT_ASKED("not asked");

  private final String words;

  Verdict(String words) {
    this.words = words;
  }

  /** For people. */
  @Override
  public String toString() {
    return words;
  }
}
