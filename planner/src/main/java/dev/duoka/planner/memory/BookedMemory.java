package dev.duoka.planner.memory;

import dev.duoka.layout.Layout;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.tensor.MemoryOwner;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The memory of layouts that the engine runs, as the engine books it: the dry run of the very step,
 * and beside it, each an owner of its own, what the driver adds. Keeps what it has counted.
 * Thread-safe.
 */
public final class BookedMemory {
  private final Map<DryRunJob, Map<MemoryOwner, Long>> counted = new ConcurrentHashMap<>();

  /**
   * The memory of a rank.
   *
   * @param layout that the engine runs
   * @param length tokens in a sequence
   */
  public MemoryEstimate estimate(ModelShape shape, Layout layout, int length, EngineTraits engine) {
    Map<MemoryOwner, Long> tensors =
        counted.computeIfAbsent(
            DryRunJob.of(shape.config(), layout, length).steady(), DryRun::replayedPeak);
    Map<Owner, Figure> figures = new EnumMap<>(Owner.class);
    double inUse = 0;
    for (Map.Entry<MemoryOwner, Long> entry : tensors.entrySet()) {
      figures.merge(owner(entry.getKey()), Figure.exact(entry.getValue()), Figure::plus);
      inUse += isState(entry.getKey()) ? 0 : entry.getValue();
    }
    // Ranks of one process copy from tensor to tensor: no library holds buffers of its own.
    figures.put(Owner.NCCL, Figure.ZERO);
    figures.put(Owner.CONTEXT, engine.contextBytes());
    figures.put(Owner.WORKSPACE, engine.workspaceBytes());
    // States lie in few flat buffers, which do not fragment.
    figures.put(Owner.RESERVE, Figure.measured(engine.reserveShare() * inUse));
    return new MemoryEstimate(figures, 0, 0);
  }

  private static boolean isState(MemoryOwner owner) {
    return owner == MemoryOwner.WEIGHTS
        || owner == MemoryOwner.MASTER_WEIGHTS
        || owner == MemoryOwner.GRADIENTS
        || owner == MemoryOwner.OPTIMIZER;
  }

  private static Owner owner(MemoryOwner owner) {
    return switch (owner) {
      case WEIGHTS -> Owner.WEIGHTS;
      case MASTER_WEIGHTS -> Owner.MASTER_WEIGHTS;
      case GRADIENTS -> Owner.GRADIENTS;
      case OPTIMIZER -> Owner.OPTIMIZER;
      case ACTIVATIONS, WAITING -> Owner.ACTIVATIONS;
      case LOGITS -> Owner.LOGITS;
      case TEMPORARIES -> Owner.TEMPORARIES;
      case BATCH, CONSTANTS, KV_CACHE, SNAPSHOT -> Owner.BATCH;
      case COMMUNICATION -> Owner.COMMUNICATION;
    };
  }
}
