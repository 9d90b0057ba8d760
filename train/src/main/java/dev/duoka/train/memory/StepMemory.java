package dev.duoka.train.memory;

import dev.duoka.base.ByteSize;
import dev.duoka.base.Plural;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.dryrun.Evaluated;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.Determinism;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.train.config.MemoryRemedy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;

/**
 * The memory of a training step on a device, and of steps that take less for the same result. All
 * of it is counted by dry runs, as that device books it.
 *
 * @param job the step of one rank
 * @param device where it runs
 * @param ranks that share the device's memory
 * @param others what is taken beside the steps, for example the copy for a checkpoint
 * @param deterministic whether the step gives the same bits each time
 * @param evaluated what is taken from the model between steps; the larger of both counts
 */
public record StepMemory(
    DryRunJob job,
    Device device,
    int ranks,
    List<Beside> others,
    boolean deterministic,
    Set<Evaluated> evaluated) {
  public StepMemory {
    evaluated =
        evaluated.isEmpty() ? Set.of() : Collections.unmodifiableSet(EnumSet.copyOf(evaluated));
  }

  /** Of steps between which nothing is evaluated. */
  public StepMemory(
      DryRunJob job, Device device, int ranks, List<Beside> others, boolean deterministic) {
    this(job, device, ranks, others, deterministic, Set.of());
  }

  /**
   * Memory that a run takes beside its steps.
   *
   * @param owner what it is for
   * @param bytes of it
   * @param remedy what it is, and what a run does without it; a sentence
   */
  public record Beside(String owner, long bytes, String remedy) {}

  /** The step of the one rank of a device. */
  public static StepMemory of(DryRunJob job, Device device, boolean deterministic) {
    return new StepMemory(job, device, 1, List.of(), deterministic);
  }

  /** What one rank of each stage takes at its peak. */
  public List<MemoryNeed> ofStages() {
    return job.ofStages().stream().map(stage -> MemoryNeed.of(booked(stage), 1)).toList();
  }

  /** What the step takes at its peak: of the largest rank, or of all that share the device. */
  public MemoryNeed need() {
    return need(ofStages());
  }

  /** What the rank of the job takes at its peak. */
  public MemoryNeed ofRank() {
    return MemoryNeed.of(booked(job), 1);
  }

  private MemoryNeed need(List<MemoryNeed> stages) {
    MemoryNeed need = MemoryNeed.of(Map.of(), 1);
    for (MemoryNeed stage : stages) {
      if (ranks == 1) {
        need = stage.bytes() > need.bytes() ? stage : need;
      } else {
        need = need.plus(stage.times(ranks / stages.size()));
      }
    }
    for (Beside other : others) {
      need = need.plus(other.owner(), other.bytes());
    }
    return need;
  }

  /** What so many ranks with states in host memory keep there, beside GPUs. */
  public static MemoryNeed inHostMemory(DryRunJob job, Device device, int ranks) {
    List<DryRunJob> stages = job.ofStages();
    MemoryNeed need = MemoryNeed.of(Map.of(), 1);
    int sharing = Math.max(1, ranks / stages.size());
    for (DryRunJob stage : stages) {
      Map<MemoryOwner, Long> bytes =
          DryRunDevice.of(device, () -> DryRun.unrolled(stage.steady()).hostByOwner());
      need = need.plus(MemoryNeed.of(bytes, sharing));
    }
    return need;
  }

  /** The bytes by owner that one rank takes at its peak, in a step or between two. */
  public Map<MemoryOwner, Long> booked(DryRunJob stage) {
    return DryRunDevice.of(
        device,
        () -> {
          boolean outer = Determinism.isRequired();
          Determinism.require(deterministic);
          try {
            Map<MemoryOwner, Long> step = DryRun.replayedPeak(stage);
            return evaluated.isEmpty()
                ? step
                : larger(step, DryRun.evaluationPeak(stage, evaluated));
          } finally {
            Determinism.require(outer);
          }
        });
  }

  /** The step of the same tokens that a remedy makes of this one. */
  public StepMemory with(MemoryRemedy way) {
    StepSettings now = job.settings();
    StepSettings settings =
        now.with(way.recompute())
            .with(way.zero())
            .with(now.states().with(way.offload(), way.update()).offloading(way.fraction()));
    int accumulation = job.accumulation() * job.microBatch() / way.microBatch();
    return new StepMemory(
        new DryRunJob(settings, job.mesh(), job.rank(), way.microBatch(), accumulation),
        device,
        ranks,
        others,
        deterministic,
        evaluated);
  }

  private static Map<MemoryOwner, Long> larger(Map<MemoryOwner, Long> a, Map<MemoryOwner, Long> b) {
    return sum(b) > sum(a) ? b : a;
  }

  private static long sum(Map<MemoryOwner, Long> bytes) {
    return bytes.values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * Refuses a step that does not fit.
   *
   * @return what it needs
   * @throws dev.duoka.base.DuokaException with the figures, and what would fit
   */
  public MemoryNeed require() {
    return require(ofStages(), _ -> {});
  }

  /**
   * As {@link #require()}, of stages that were counted by {@link #ofStages}.
   *
   * @param refused is told of a step that does not fit how many bytes there are for one
   */
  public MemoryNeed require(List<MemoryNeed> stages, LongConsumer refused) {
    String what =
        (ranks == 1 ? "a training step" : "a training step of " + Plural.of(ranks, "rank"))
            + " with micro-batch "
            + job.microBatch()
            + " and recompute "
            + job.settings().recompute();
    MemoryNeed need = need(stages);
    MemoryCheck.require(
        what,
        device,
        need,
        bytes -> {
          refused.accept(bytes);
          return fits(bytes);
        });
    return need;
  }

  /** What would fit into so many bytes, and what else would help, as the next step. */
  String fits(long bytes) {
    String smaller = smallerStep(bytes);
    return others.isEmpty()
        ? smaller
        : smaller + ". " + others.stream().map(Beside::remedy).collect(Collectors.joining(" "));
  }

  private String smallerStep(long bytes) {
    List<String> found = new ArrayList<>();
    Recompute now = job.settings().recompute();
    smaller(now, bytes).ifPresent(found::add);
    for (Recompute more : Recompute.values()) {
      if (found.size() < 2 && more.compareTo(now) > 0) {
        with(job.microBatch(), more, ranks).ifWithin(bytes).ifPresent(found::add);
      }
    }
    if (found.isEmpty() && now != Recompute.FULL) {
      smaller(Recompute.FULL, bytes).ifPresent(found::add);
    }
    for (int fewer = ranks / 2; splits() && found.isEmpty() && fewer >= 1; fewer /= 2) {
      if (ranks % fewer == 0 && job.mesh().size() == ranks && job.dataRanks() == ranks) {
        with(job.microBatch(), now, fewer).ifWithin(bytes).ifPresent(found::add);
        if (found.isEmpty()) {
          with(smallest(), Recompute.FULL, fewer).ifWithin(bytes).ifPresent(found::add);
        }
      }
    }
    if (found.isEmpty()) {
      otherStates(bytes).ifPresent(found::add);
    }
    if (!found.isEmpty()) {
      return "This would fit: " + String.join("; or ", found);
    }
    boolean dataAlone = job.dataRanks() == ranks && job.mesh().size() == ranks;
    Candidate least = with(smallest(), Recompute.FULL, dataAlone && splits() ? 1 : ranks);
    return "Even "
        + least.words()
        + " needs "
        + ByteSize.text(least.memory().need().bytes())
        + ": take a smaller model or shorter sequences, or a device with more memory"
        + " ('./duoka plan' says which)";
  }

  /**
   * The first way that fits of keeping states elsewhere: shared among more ranks, or on the host.
   */
  private Optional<String> otherStates(long bytes) {
    StepSettings now = job.settings();
    boolean replicas = job.mesh().data() * job.mesh().context() > 1;
    for (int zero = now.zeroStage() + 1; replicas && zero <= 3; zero++) {
      Optional<String> fits = least("parallel.zero " + zero, now.with(zero), bytes);
      if (fits.isPresent()) {
        return fits;
      }
    }
    StateSettings states = now.states();
    for (OffloadUpdate update : OffloadUpdate.values()) {
      StateSettings away = states.with(Offload.OPTIMIZER, update);
      boolean more =
          !states.inHostMemory()
              || update.compareTo(states.update()) > 0
              || (update == states.update() && states.fraction() < 1);
      Optional<String> fits =
          device.isCuda() && more
              ? least(
                  "memory.offload optimizer"
                      + (away.updatesOnHost() ? " with memory.offload_update host" : "")
                      + (states.fraction() < 1 ? " and memory.offload_fraction 1" : ""),
                  now.with(away),
                  bytes)
              : Optional.empty();
      if (fits.isPresent()) {
        return fits;
      }
    }
    return Optional.empty();
  }

  /** A change of states alone, or with the least that a forward pass can keep. */
  private Optional<String> least(String words, StepSettings settings, long bytes) {
    StepMemory changed =
        new StepMemory(
            new DryRunJob(settings, job.mesh(), job.rank(), job.microBatch(), job.accumulation()),
            device,
            ranks,
            others,
            deterministic,
            evaluated);
    return new Candidate(words, changed)
        .ifWithin(bytes)
        .or(
            () -> {
              Candidate least = changed.with(smallest(), Recompute.FULL, ranks);
              return new Candidate(words + " with " + least.words(), least.memory())
                  .ifWithin(bytes);
            });
  }

  /**
   * Whether a step may have more micro-batches: gradients in bf16 are of one alone, and a table of
   * a pipeline is of one number of them.
   */
  private boolean splits() {
    StepSettings settings = job.settings();
    return settings.states().form().gradients() != GradientForm.BF16
        && settings.pipeline().table().isEmpty();
  }

  /** The fewest sequences of a micro-batch: a pair of answers stays together. */
  private int smallest() {
    return splits() ? job.settings().preference() == null ? 1 : 2 : job.microBatch();
  }

  /** The largest smaller micro-batch that fits. */
  private Optional<String> smaller(Recompute recompute, long bytes) {
    for (int microBatch = job.microBatch() / 2; microBatch >= smallest(); microBatch /= 2) {
      if (job.microBatch() % microBatch == 0) {
        Optional<String> fits = with(microBatch, recompute, ranks).ifWithin(bytes);
        if (fits.isPresent()) {
          return fits;
        }
      }
    }
    return Optional.empty();
  }

  private Candidate with(int microBatch, Recompute recompute, int ranksLeft) {
    StepSettings now = job.settings();
    StepSettings settings = now.with(recompute);
    int fewer = ranks / ranksLeft;
    int accumulation = job.accumulation() * (job.microBatch() / microBatch) * fewer;
    DryRunJob other =
        fewer == 1
            ? new DryRunJob(settings, job.mesh(), job.rank(), microBatch, accumulation)
            : new DryRunJob(settings, job.dataRanks() / fewer, microBatch, accumulation);
    List<String> words = new ArrayList<>();
    if (microBatch != job.microBatch()) {
      words.add("micro-batch " + microBatch);
    }
    if (recompute != now.recompute()) {
      words.add("recompute " + recompute);
    }
    if (ranksLeft != ranks) {
      words.add(Plural.of(ranksLeft, "rank"));
    }
    return new Candidate(
        words.isEmpty() ? "this, the least there is," : String.join(" with ", words),
        new StepMemory(other, device, ranksLeft, others, deterministic, evaluated));
  }

  private record Candidate(String words, StepMemory memory) {
    Optional<String> ifWithin(long bytes) {
      long need = memory.need().bytes();
      return need <= bytes
          ? Optional.of(words + " (" + ByteSize.text(need) + ")")
          : Optional.empty();
    }
  }
}
