package dev.duoka.comm.tcp;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Who is at tensors of this process's ranks now: threads of connections, in the middle of a piece,
 * and ranks that copy from each other. When exchange has ended, a rank may free its tensors only
 * when nobody is ({@link #awaitNobody}).
 *
 * <p>Guarded by the world. Threads of connections and ranks say when they begin and end; only ranks
 * wait here. It may close connections, and touches no tensor itself.
 */
final class TensorAccess {
  /** A piece that has not got further for so long stands still. */
  private static final Duration STANDSTILL = Duration.ofSeconds(1);

  private final WorldLock lock;
  private final Links links;
  private int copies;

  TensorAccess(WorldLock lock, Links links) {
    this.lock = lock;
    this.links = links;
  }

  /** A thread of a connection begins with a piece. */
  void begins(Link link) {
    link.touch(1);
  }

  /** It is done with the piece, or has failed. */
  void ends(Link link) {
    link.touch(-1);
  }

  /** A rank begins to copy from another one of this process. */
  void copyBegins() {
    copies++;
  }

  /** It is done with it, or has failed. */
  void copyEnds() {
    copies--;
    lock.changed();
  }

  /** Whether pieces are on their way, and each gets further within a while, for which it waits. */
  boolean getsFurther() {
    Map<Link, Long> before = new HashMap<>();
    links.touching().forEach(link -> before.put(link, link.moved()));
    BooleanSupplier further =
        () ->
            before.entrySet().stream()
                .allMatch(at -> !at.getKey().touches() || at.getKey().moved() > at.getValue());
    long end = System.nanoTime() + STANDSTILL.toNanos();
    lock.awaitInAnyCase(() -> further.getAsBoolean() || System.nanoTime() >= end);
    return !before.isEmpty() && further.getAsBoolean();
  }

  /**
   * Closes the connections that are in the middle of a piece, and waits until nobody is at a
   * tensor.
   */
  void awaitNobody() {
    links.touching().forEach(Link::abandon);
    lock.awaitInAnyCase(() -> copies == 0 && links.touching().findAny().isEmpty());
  }
}
