package dev.duoka.comm;

/**
 * What the exchanges of a thread are for, such as the weights whose gradients are summed: ledgers
 * and errors name it, so that a rank that hangs can be told from its block. One thread.
 *
 * <pre>{@code
 * try (Purpose _ = Purpose.of("model.layers.3")) {
 *   group.allReduce(gradients);
 * }
 * }</pre>
 */
public final class Purpose implements AutoCloseable {
  private static final ThreadLocal<String> CURRENT = ThreadLocal.withInitial(() -> "");

  private final String before;

  private Purpose(String before) {
    this.before = before;
  }

  /** From now on, until it is closed, the thread's exchanges are for this. */
  public static Purpose of(String text) {
    Purpose purpose = new Purpose(CURRENT.get());
    CURRENT.set(text);
    return purpose;
  }

  /** From now on, until the open purpose is closed, the thread's exchanges are for this. */
  public static void becomes(String text) {
    CURRENT.set(text);
  }

  /** What the calling thread's exchanges are for; empty where nothing says so. */
  public static String current() {
    return CURRENT.get();
  }

  @Override
  public void close() {
    CURRENT.set(before);
  }
}
