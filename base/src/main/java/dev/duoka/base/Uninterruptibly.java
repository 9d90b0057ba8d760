package dev.duoka.base;

/** Waits that are not left early; an interruption meanwhile is told to the thread afterwards. */
public final class Uninterruptibly {
  private Uninterruptibly() {}

  /** Waits until a thread has ended. */
  public static void join(Thread thread) {
    boolean interrupted = false;
    while (true) {
      try {
        thread.join();
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
