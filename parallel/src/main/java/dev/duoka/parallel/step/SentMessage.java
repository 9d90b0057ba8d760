package dev.duoka.parallel.step;

import dev.duoka.base.Resources;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;

/** What a rank sent to another stage, kept until the other has taken it. */
final class SentMessage implements AutoCloseable {
  private final Tensor content;
  private final Pending pending;

  /**
   * Sends.
   *
   * @param content shared, not taken
   * @param to the rank in its pipeline
   */
  SentMessage(Communicator pipeline, Tensor content, int to) {
    try (Resources made = new Resources()) {
      this.content = made.own(Scope.detach(content.share()));
      pending = pipeline.send(this.content, to); // fails when another rank has
      made.release();
    }
  }

  /** Lets the current stream wait until the other has taken it. */
  void join() {
    pending.join();
  }

  @Override
  public void close() {
    content.close();
  }
}
