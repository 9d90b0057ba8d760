package dev.duoka.operations.run;

/** Exit statuses of a run, for those who start it again or do not. */
public final class ExitStatus {
  /** The run took its last step. */
  public static final int DONE = 0;

  /** It failed, and starting it again may or may not help. */
  public static final int FAILED = 1;

  /** It was never right: usage or configuration. */
  public static final int WRONG = 2;

  /** It was told to end before its end, is saved, and is worth starting again. */
  public static final int SAVED = 75;

  /** It ended for a reason that starting it again does not cure, or was told to end for good. */
  public static final int DO_NOT_REQUEUE = 93;

  /** Ctrl-C, and nothing else. */
  public static final int INTERRUPTED = 130;

  /** What a shell says of a process that SIGINT has ended. */
  private static final int SIGINT = 130;

  private ExitStatus() {}

  /**
   * The status of a run that a signal has ended.
   *
   * @param status 128 and the signal's number
   * @param saved whether the run was saved before
   */
  public static int afterSignal(int status, boolean saved) {
    return status == SIGINT ? INTERRUPTED : saved ? SAVED : FAILED;
  }
}
