package dev.duoka.doctor.check;

/** One thing that can be wrong with a machine. Without state; the list is in {@link Checks}. */
interface Check {
  /** What it is. */
  CheckInfo info();

  /** Looks at a machine and says what it found, or what it could not see. */
  void examine(Examination machine, Findings out);
}
