package dev.duoka.train.generate;

import dev.duoka.base.Progress;
import dev.duoka.base.Uninterruptibly;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.RankThreads;
import dev.duoka.parallel.step.InferenceRank;
import dev.duoka.tensor.Device;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.device.PlacedRanks;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A model that the ranks of a mesh share, each on a thread of its own. They carry out one order
 * after the other and wait for the next one by no exchange, so as long as it takes. When one of
 * them fails in an order, all end, and the order throws why. Owns the threads.
 */
final class MeshRanks implements WritingRanks {
  /** What each rank does of an order. */
  @FunctionalInterface
  private interface Order {
    void carryOut(InferenceRank rank, boolean isFirst);
  }

  private static final Order NOTHING = (_, _) -> {};

  private final WritingMesh mesh;
  private final NamedModel model;
  private Order order = NOTHING;
  private long given;
  private int left;
  private boolean closing;
  private boolean ended;
  private @Nullable Throwable failure;
  private final Thread thread;

  private MeshRanks(WritingMesh mesh, NamedModel model, Progress progress) {
    this.mesh = mesh;
    this.model = model;
    this.left = mesh.mesh().size();
    this.thread = Thread.ofPlatform().daemon().name("writing").unstarted(() -> run(progress));
  }

  /**
   * Starts the ranks, and waits until all have read their part.
   *
   * @param progress hears how many weights the first one has read
   */
  static MeshRanks load(WritingMesh mesh, NamedModel model, Progress progress) {
    MeshRanks ranks = new MeshRanks(mesh, model, progress);
    ranks.thread.start();
    boolean loaded = false;
    try {
      ranks.awaitAll();
      loaded = true;
      return ranks;
    } finally {
      if (!loaded) {
        ranks.close();
      }
    }
  }

  private void run(Progress progress) {
    Throwable why = null;
    try {
      PlacedRanks.of(mesh.parallel(), mesh.placement())
          .run((world, device) -> serve(world, device, progress));
    } catch (Throwable t) { // whatever it is, it is told to whoever waits for the ranks
      why = t;
    }
    end(why);
  }

  private void serve(Communicator world, Device device, Progress progress) {
    boolean isFirst = world.rank() == 0;
    try (InferenceRank rank =
        InferenceRank.allocate(
            mesh.mesh(), mesh.parallel().stages(), world, device, model.config(), mesh.dtype())) {
      try (StoredModel stored = model.open()) {
        stored.read(rank.model(), isFirst ? progress : Progress.NONE);
      }
      long carriedOut = 0;
      carriedOut();
      for (Order next = next(carriedOut); next != null; next = next(carriedOut)) {
        next.carryOut(rank, isFirst);
        carriedOut++;
        carriedOut();
      }
    } catch (Throwable t) { // of whatever kind: nobody must wait for an order that does not come
      world.abort("a rank failed while it wrote: " + t);
      stop();
      throw t;
    }
  }

  /** Waits for the order after so many; null when there will be none. */
  private synchronized @Nullable Order next(long carriedOut) {
    awaitThat(() -> given > carriedOut || closing);
    return closing ? null : order;
  }

  private synchronized void carriedOut() {
    left--;
    notifyAll();
  }

  private synchronized void stop() {
    closing = true;
    notifyAll();
  }

  private synchronized void end(@Nullable Throwable why) {
    failure = why;
    ended = true;
    notifyAll();
  }

  /** Has all ranks carry out an order, and waits for them. */
  private void give(Order next) {
    synchronized (this) {
      if (!closing && !ended) {
        order = next;
        given++;
        left = mesh.mesh().size();
        notifyAll();
      }
    }
    awaitAll();
  }

  /** Throws what has ended the ranks, once all of them have. */
  private synchronized void awaitAll() {
    awaitThat(() -> ended || (left == 0 && !closing));
    if (ended) {
      RankThreads.throwIfFailed(failure);
      throw new IllegalStateException("the ranks have ended");
    }
  }

  /** The caller holds this object's lock. */
  private void awaitThat(BooleanSupplier condition) {
    boolean interrupted = false;
    while (!condition.getAsBoolean()) {
      try {
        wait();
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public Generation write(Continuation text, Consumer<String> output) {
    AtomicReference<@Nullable Generation> written = new AtomicReference<>();
    give(
        (rank, isFirst) -> {
          Generation mine = text.write(rank, isFirst ? output : _ -> {});
          if (isFirst) {
            written.set(mine);
          }
        });
    return Objects.requireNonNull(written.get(), "the first rank has written nothing");
  }

  @Override
  public void setAdapted(NamedModel model, boolean on) {
    give((rank, _) -> OneRank.setAdapted(rank, model, on));
  }

  @Override
  public void readAdapter(NamedModel other) {
    give(
        (rank, _) -> {
          try (StoredModel stored = other.open()) {
            stored.readAdapter(rank.model());
          }
        });
  }

  @Override
  public synchronized boolean isRunning() {
    return !closing && !ended;
  }

  @Override
  public void close() {
    stop();
    Uninterruptibly.join(thread);
  }
}
