package dev.duoka.comm;

import org.jspecify.annotations.Nullable;

/** A collective that was launched and may not have ended. */
public interface Pending {
  /** Nothing to wait for. */
  Pending DONE =
      new Pending() {
        @Override
        public void join() {}

        @Override
        public boolean isDone() {
          return true;
        }

        @Override
        public @Nullable Throwable failure() {
          return null;
        }
      };

  /**
   * Makes the calling thread's current stream wait for the collective, which the host does not; on
   * the CPU it returns when the collective is done. Afterwards its tensors may be read and written.
   * A second call does nothing.
   *
   * @throws dev.duoka.base.DuokaException {@code RANK_LOST} when another rank has failed
   */
  void join();

  /** Whether it has ended. Never waits. */
  boolean isDone();

  /** Why it can never end; null as long as it may. */
  @Nullable Throwable failure();
}
