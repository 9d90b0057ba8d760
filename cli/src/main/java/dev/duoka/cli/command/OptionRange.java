package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;

/** Which numbers an option takes; one message for all of them. */
final class OptionRange {
  private OptionRange() {}

  /**
   * Refuses a number outside of the bounds.
   *
   * @throws DuokaException with {@link ErrorCode#USAGE}
   */
  static void check(String option, long value, long least, long most) {
    if (value < least || value > most) {
      throw new DuokaException(
          ErrorCode.USAGE,
          option + " is " + value,
          "Give a whole number from " + least + " to " + most);
    }
  }

  /** As {@link #check}, and refuses what is no multiple of {@code unit}. */
  static void checkMultiple(String option, long value, long unit, long most) {
    if (value < unit || value > most || value % unit != 0) {
      throw new DuokaException(
          ErrorCode.USAGE,
          option + " is " + value,
          "Give a multiple of " + unit + " from " + unit + " to " + most);
    }
  }
}
