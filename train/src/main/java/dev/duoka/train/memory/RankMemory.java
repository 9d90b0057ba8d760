package dev.duoka.train.memory;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.tensor.ThreadLedger;

/**
 * What one rank of a run holds, for the message of a rank that can have no more.
 *
 * <p>{@code -Dduoka.rankMemory=BYTES} lets no rank hold more than that, as if it had a smaller
 * device.
 */
public final class RankMemory {
  private static final String LIMIT = "duoka.rankMemory";

  private RankMemory() {}

  /** Books what the calling thread, a rank, allocates from now on. */
  public static ThreadLedger open(Device device) {
    return ThreadLedger.open(device, Long.getLong(LIMIT, Long.MAX_VALUE));
  }

  /**
   * The same failure with the rank, what it held by owner, and the nearest change that fits into
   * what it had, counted by dry runs.
   *
   * @param rank its number among {@code ranks}
   * @param step of this rank, on the device that has failed
   */
  public static DuokaException explained(
      OutOfMemoryException failure, int rank, int ranks, StepMemory step) {
    return new DuokaException(
        ErrorCode.OUT_OF_MEMORY,
        problem(failure, rank, ranks),
        step.fits(failure.available()),
        failure);
  }

  /**
   * As the other one, of a failure outside of steps.
   *
   * @param what the rank was doing, for example {@code validates after step 10}
   * @param remedy what takes less of it
   */
  public static DuokaException explained(
      OutOfMemoryException failure, int rank, int ranks, String what, String remedy) {
    return new DuokaException(
        ErrorCode.OUT_OF_MEMORY,
        problem(failure, rank, ranks) + " while it " + what,
        remedy,
        failure);
  }

  private static String problem(OutOfMemoryException failure, int rank, int ranks) {
    return "rank "
        + rank
        + " of "
        + ranks
        + (failure.bytes() == 0
            ? " has no room for what an operator takes"
            : " cannot allocate " + ByteSize.text(failure.bytes()))
        + " on "
        + failure.device()
        + " beside the "
        + MemoryNeed.of(failure.held(), 1).text()
        + " that it holds";
  }
}
