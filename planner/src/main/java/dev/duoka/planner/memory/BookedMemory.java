package dev.duoka.planner.memory;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Segments;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.MemoryOwner;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * The memory of layouts that the engine runs, as the engine books it: the dry run of the very step
 * by a rank of each stage that may be the largest, and beside it, each an owner of its own, what
 * the driver and unequal experts add. Keeps what it has counted. Thread-safe.
 */
public final class BookedMemory {
  /** How much a closed form may be off between stages of one layout: it only says which to run. */
  private static final double STAGE_SLACK = 1.05;

  /**
   * What there is.
   *
   * @param device bytes of a card
   * @param host bytes of host memory
   */
  public record Limits(double device, double host) {}

  private final Map<DryRunJob, DryRun.Peak> counted = new ConcurrentHashMap<>();
  private final Map<DryRunJob, Long> ofHost = new ConcurrentHashMap<>();

  /**
   * The memory of the rank that needs most, and of the host.
   *
   * @param layout that the engine runs
   * @param stages of it, as the engine cuts them
   * @param length tokens in a sequence
   * @param closedForm orders the stages, leaves out those that are far from being the largest, and
   *     says what unequal experts add
   * @param limits of the machine: where stages take more, those after them are not run, and the
   *     answer is what these take
   */
  public MemoryEstimate estimate(
      ModelShape shape,
      Layout layout,
      List<Stage> stages,
      int length,
      MemoryModel closedForm,
      EngineTraits engine,
      Limits limits) {
    List<DryRunJob> jobs = DryRunJob.of(shape.config(), layout, length).steady().ofStages();
    List<Integer> order =
        IntStream.range(0, jobs.size())
            .boxed()
            .sorted(
                Comparator.comparingDouble(it -> -closedForm.tensorBytes(layout, stages.get(it))))
            .toList();
    Map<Owner, Figure> largest = Map.of();
    double most = 0;
    int busiest = 0;
    double host = closedForm.checkpointCopy(layout);
    boolean ordered = layout.order().equals(PipelineOrder.DEFAULT);
    if (layout.offload() != Offload.NONE) {
      countDistinct(jobs, stages, order);
    }
    Map<Integer, Long> hostOfLike = new HashMap<>();
    for (int stage : order) {
      boolean small =
          ordered && STAGE_SLACK * closedForm.tensorBytes(layout, stages.get(stage)) < most;
      // Host memory is that of all ranks together: every stage counts.
      if (small && layout.offload() == Offload.NONE) {
        break;
      }
      DryRunJob job = jobs.get(stage);
      if (!small) {
        Map<Owner, Figure> figures =
            figures(
                onDevice(job).byOwner(),
                closedForm.imbalanceBytes(layout, stages.get(stage)),
                Segments.of(shape.config().moe() != null, layout.method().isAdapter()),
                engine);
        double total = figures.values().stream().mapToDouble(Figure::value).sum();
        if (total > most) {
          largest = figures;
          most = total;
          busiest = stage;
        }
      }
      if (layout.offload() != Offload.NONE && most <= limits.device()) {
        int like = firstLike(stages, stage);
        long each = hostOfLike.computeIfAbsent(like, _ -> onHost(job));
        host += (double) each * layout.gpus() / layout.pipeline();
      }
      if (most > limits.device() || host > limits.host()) {
        break;
      }
      if (!ordered && stage == order.getFirst()) {
        // Closed forms do not know which rank of such a pipeline needs most: all are run.
        jobs.parallelStream().forEach(this::onDevice);
      }
    }
    return new MemoryEstimate(largest, busiest, host, MemoryEstimate.Source.DRY_RUN);
  }

  /** What a rank books, which says of host memory what all do that differ in activations alone. */
  private DryRun.Peak onDevice(DryRunJob job) {
    DryRun.Peak peak =
        counted.computeIfAbsent(
            job, it -> DryRunDevice.of(Device.cuda(0), () -> DryRun.replayed(it)));
    if (peak.host() > 0) {
      ofHost.putIfAbsent(job.ofHost(), peak.host());
    }
    return peak;
  }

  /** Bytes of host memory of a rank, the same for all that differ in their activations alone. */
  private long onHost(DryRunJob job) {
    return ofHost.computeIfAbsent(
        job.ofHost(),
        least -> DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(least).hostBytes()));
  }

  /** The first stage that holds what this one does: host memory of their ranks is the same. */
  private static int firstLike(List<Stage> stages, int stage) {
    int first = 0;
    while (!stages.get(first).isLike(stages.get(stage))) {
      first++;
    }
    return first;
  }

  /** Runs at once what is going to be asked for: the largest stage, and of others their states. */
  private void countDistinct(List<DryRunJob> jobs, List<Stage> stages, List<Integer> order) {
    List<Runnable> runs = new ArrayList<>();
    runs.add(() -> onDevice(jobs.get(order.getFirst())));
    Set<Integer> seen = new HashSet<>(Set.of(firstLike(stages, order.getFirst())));
    for (int stage : order) {
      if (seen.add(firstLike(stages, stage))) {
        runs.add(() -> onHost(jobs.get(stage)));
      }
    }
    runs.parallelStream().forEach(Runnable::run);
  }

  private static Map<Owner, Figure> figures(
      Map<MemoryOwner, Long> booked, double imbalance, Segments segments, EngineTraits engine) {
    Map<Owner, Figure> figures = new EnumMap<>(Owner.class);
    double inUse = imbalance;
    for (Map.Entry<MemoryOwner, Long> entry : booked.entrySet()) {
      figures.merge(owner(entry.getKey()), Figure.exact(entry.getValue()), Figure::plus);
      inUse += isState(entry.getKey()) ? 0 : entry.getValue();
    }
    figures.put(Owner.IMBALANCE, Figure.assumed(imbalance));
    // Ranks copy from tensor to tensor: no library holds buffers of its own.
    figures.put(Owner.NCCL, Figure.ZERO);
    figures.put(Owner.CONTEXT, engine.contextBytes());
    figures.put(Owner.WORKSPACE, engine.workspaceBytes());
    // States lie in few flat buffers, which do not fragment.
    figures.put(Owner.RESERVE, Figure.measured(engine.reserve(segments, inUse)));
    return figures;
  }

  /**
   * Bytes that the driver counts on a card beside a rank's tensors, by owner.
   *
   * @param labelled what the rank books, by the owners' labels
   * @param segments as they are kept for the model
   */
  public static Map<String, Long> besideTensors(Map<String, Long> labelled, Segments segments) {
    Map<MemoryOwner, Long> booked = new EnumMap<>(MemoryOwner.class);
    for (MemoryOwner owner : MemoryOwner.values()) {
      if (labelled.containsKey(owner.label())) {
        booked.put(owner, labelled.get(owner.label()));
      }
    }
    Map<String, Long> beside = new HashMap<>();
    figures(booked, 0, segments, EngineTraits.DUOKA)
        .forEach(
            (owner, figure) -> {
              if (!owner.isTensor() && figure.value() > 0) {
                beside.put(owner.toString(), (long) figure.value());
              }
            });
    return beside;
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
