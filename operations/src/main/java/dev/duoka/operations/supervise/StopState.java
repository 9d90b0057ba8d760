package dev.duoka.operations.supervise;

import dev.duoka.operations.control.ControlServer;
import dev.duoka.operations.control.StopOrder;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What a run's user has ordered; thread-safe.. */
final class StopState implements ControlServer.Orders {
  private @Nullable StopOrder order;
  private boolean atOnce;

  @Override
  public synchronized void stop(StopOrder why) {
    if (order == null) {
      order = why;
    }
    notifyAll();
  }

  @Override
  public synchronized void endAtOnce() {
    if (order == null) {
      order = StopOrder.STOP;
    }
    atOnce = true;
    notifyAll();
  }

  /** Why the run is to end; empty while it is not. */
  synchronized Optional<StopOrder> order() {
    return Optional.ofNullable(order);
  }

  /** Whether it is to end without saving. */
  synchronized boolean isAtOnce() {
    return atOnce;
  }
}
