package dev.duoka.train.checkpoint;

import dev.duoka.comm.Communicator;

/**
 * Which of the processes that write a checkpoint together this one is. All hold the same number of
 * ranks, in a row; the first rank of each speaks for it.
 *
 * @param process its number, from 0; process 0 completes what the others have written
 * @param processes how many they are
 */
public record ProcessShare(int process, int processes) {
  /** A process that writes everything. */
  public static final ProcessShare ALONE = new ProcessShare(0, 1);

  boolean isAlone() {
    return processes == 1;
  }

  boolean isFirst() {
    return process == 0;
  }

  /** Whether a rank of this process speaks for it. */
  boolean isLead(Communicator world) {
    return world.rank() == leadOf(process, world);
  }

  /** The rank that speaks for a process. */
  int leadOf(int other, Communicator world) {
    return other * (world.size() / processes);
  }
}
