package dev.duoka.train.run;

import dev.duoka.comm.Communicator;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.train.device.DeviceMemory;
import dev.duoka.train.device.ProcessMemory;
import dev.duoka.train.step.RankState;
import dev.duoka.train.step.StepMetrics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What each rank holds, gathered now and then by the ranks' hosts, and reported when it is not what
 * was reported last. One for each rank, on its thread.
 */
final class RankMemoryReport {
  /** Steps between two looks; the first steps, in which memory is taken, are all looked at. */
  private static final int EVERY = 10;

  /** What the driver counts moves a little all the time: less than this is no news. */
  private static final double NEWS = 16 << 20;

  private static final MemoryOwner[] OWNERS = MemoryOwner.values();
  private static final int DRIVER = OWNERS.length;
  private static final int HEAP = DRIVER + 1;
  private static final int COLUMNS = HEAP + 1;

  private final Communicator world;
  private final Device device;
  private final double[] reported;
  private long looks;

  RankMemoryReport(RankState rank) {
    this.world = rank.world();
    this.device = rank.device();
    this.reported = new double[world.size() * COLUMNS];
  }

  /** What all ranks hold after a step, if there is news of it. Collective. */
  List<StepMetrics.RankUse> after(long step) {
    if (looks++ >= 2 && step % EVERY != 0) {
      return List.of();
    }
    double[] held = new double[reported.length];
    int first = world.rank() * COLUMNS;
    ThreadLedger.takePeakByOwner(device)
        .forEach((owner, bytes) -> held[first + owner.ordinal()] = bytes);
    held[first + DRIVER] =
        device.isCuda() ? DeviceMemory.inUse(device).bytes() : ProcessMemory.anonymousBytes();
    held[first + HEAP] = device.isCuda() ? 0 : ProcessMemory.heapBytes();
    world.agreement().sum(held);
    if (!isNews(held)) {
      return List.of();
    }
    System.arraycopy(held, 0, reported, 0, held.length);
    List<StepMetrics.RankUse> ranks = new ArrayList<>();
    for (int at = 0; at < held.length; at += COLUMNS) {
      ranks.add(use(Arrays.copyOfRange(held, at, at + COLUMNS)));
    }
    return ranks;
  }

  private boolean isNews(double... held) {
    for (int i = 0; i < held.length; i++) {
      double least = i % COLUMNS < DRIVER ? 1 : NEWS;
      if (Math.abs(held[i] - reported[i]) >= least) {
        return true;
      }
    }
    return false;
  }

  private static StepMetrics.RankUse use(double... held) {
    Map<String, Long> bytes = new LinkedHashMap<>();
    for (MemoryOwner owner : OWNERS) {
      // A copy for a checkpoint is no memory of a step, and is there only now and then.
      if (held[owner.ordinal()] > 0 && owner != MemoryOwner.SNAPSHOT) {
        bytes.put(owner.label(), (long) held[owner.ordinal()]);
      }
    }
    return new StepMetrics.RankUse(bytes, (long) held[DRIVER], (long) held[HEAP]);
  }
}
