package dev.duoka.data.batch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.function.LongUnaryOperator;

/**
 * One rank's training batches, step after step, read ahead by a thread of its own.
 *
 * <p>All ranks of a process may share one {@link TrainingOrder}, and with it one mapping of the
 * shards. The rank's thread calls {@link #next}; {@link #close} ends the reader and may be called
 * from any thread.
 */
public final class BatchStream implements AutoCloseable {
  private static final int STEPS_AHEAD = 2;

  private final TrainingOrder order;
  private final RankShare share;
  private final BlockingQueue<Read> ahead = new ArrayBlockingQueue<>(STEPS_AHEAD);
  private final Thread reader;

  private sealed interface Read {
    record Step(StepBatch batch) implements Read {}

    record Failed(Throwable cause) implements Read {}

    record Closed() implements Read {}
  }

  private BatchStream(
      TrainingOrder order, RankShare share, DataState from, long steps, LongUnaryOperator leftOut) {
    this.order = order;
    this.share = share;
    this.reader =
        Thread.ofPlatform()
            .daemon()
            .name("duoka-batches-" + share.rank())
            .unstarted(() -> readAhead(from, steps, leftOut));
  }

  /** Starts reading at a state: {@link DataState#START}, or that of a checkpoint. */
  public static BatchStream open(TrainingOrder order, RankShare share, DataState from) {
    return open(order, share, from, 0, _ -> 0);
  }

  /**
   * As the other method, of a run that leaves some batches out.
   *
   * @param steps that were taken before
   * @param leftOut how many batches are left out when so many steps were taken
   */
  public static BatchStream open(
      TrainingOrder order, RankShare share, DataState from, long steps, LongUnaryOperator leftOut) {
    order.advance(from, 0);
    BatchStream stream = new BatchStream(order, share, from, steps, leftOut);
    stream.reader.start();
    return stream;
  }

  /**
   * What the rank trains on in the next step; waits for the reader.
   *
   * @throws DuokaException if reading failed, or the stream was closed
   */
  public StepBatch next() {
    try {
      return switch (ahead.take()) {
        case Read.Step step -> step.batch();
        case Read.Failed failed -> {
          ahead.offer(failed);
          throw failure(failed.cause());
        }
        case Read.Closed closed -> {
          ahead.offer(closed);
          throw new DuokaException(
              ErrorCode.DATA, "a batch was asked for after the stream was closed", "");
        }
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DuokaException(ErrorCode.DATA, "waiting for a batch was interrupted", "", e);
    }
  }

  /**
   * What a rank trains on in the step that starts at a state, read now on this thread: a pure
   * function of its arguments.
   */
  public static StepBatch read(TrainingOrder order, RankShare share, DataState state) {
    return new StepReader(order, share).read(state);
  }

  private void readAhead(DataState from, long stepsBefore, LongUnaryOperator leftOut) {
    StepReader reader = new StepReader(order, share);
    DataState state = from;
    try {
      for (long steps = stepsBefore; ; steps++) {
        long passedOver = leftOut.applyAsLong(steps) * share.sequencesPerStep();
        StepBatch batch = reader.read(order.advance(state, passedOver));
        ahead.put(new Read.Step(batch));
        state = batch.after();
      }
    } catch (InterruptedException _) {
      ahead.clear();
      ahead.add(new Read.Closed());
    } catch (RuntimeException | Error e) {
      // Whatever stops this thread must reach the one that waits for its batches.
      ahead.clear();
      ahead.add(new Read.Failed(e));
    }
  }

  private static DuokaException failure(Throwable cause) {
    if (cause instanceof DuokaException known) {
      return new DuokaException(known.code(), String.valueOf(known.getMessage()), "", known);
    }
    return new DuokaException(
        ErrorCode.DATA,
        "reading training batches failed: " + cause,
        "Check the disk that holds the token cache, then resume from the last checkpoint.",
        cause);
  }

  /** Ends the reader and waits for it; a second call does nothing. */
  @Override
  public void close() {
    reader.interrupt();
    try {
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
