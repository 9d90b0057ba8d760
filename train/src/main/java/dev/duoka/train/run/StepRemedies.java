package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.train.config.MemoryRemedy;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.memory.LessMemory;
import dev.duoka.train.memory.MemoryUse;
import dev.duoka.train.memory.RankMemory;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.memory.TooLittleMemoryException;
import dev.duoka.train.step.RankBuilder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * What one rank of a run changes when memory runs out in a step, or between steps, and which of it
 * is in use. One thread, that of the rank.
 */
final class StepRemedies {
  private final LessMemory less;
  private final RunConfig config;
  private final DryRunJob step;
  private int tried;
  private MemoryUse use = MemoryUse.STEP;
  private String what = "";

  /** Those of a rank of a run that begins as its file says. */
  StepRemedies(RunConfig config, ModelConfig model, int rank) {
    this.config = config;
    this.less = LessMemory.of(config);
    this.step = new RankBuilder(config, model, null).plan(rank);
  }

  /** How many there are. */
  int count() {
    return less.ways().size();
  }

  /** Whether the rank has gone over to one of them. */
  boolean isInUse() {
    return tried > 0;
  }

  /** How the rank takes its steps: as its file says, until it goes over to a remedy. */
  MemoryRemedy now() {
    return tried == 0 ? MemoryRemedy.now(config) : less.ways().get(tried - 1);
  }

  /** What overrides the run's file to begin with that. */
  List<String> overrides() {
    return tried == 0 ? List.of() : less.overrides(tried - 1);
  }

  /**
   * The number of the one to go over to between two steps.
   *
   * @param own what this rank has failed with; empty where it was another's failure, which then
   *     chooses
   * @return empty where none can be taken without a new start
   */
  OptionalInt inPlace(Optional<OutOfMemoryException> own) {
    OptionalInt way =
        own.isPresent()
            ? choose(own.get())
            : tried < count() ? OptionalInt.of(tried) : OptionalInt.empty();
    return way.isPresent() && less.isInPlace(way.getAsInt()) ? way : OptionalInt.empty();
  }

  /** Goes over to a remedy. */
  void take(int way) {
    tried = way + 1;
  }

  /**
   * Notes that memory is now taken outside of steps.
   *
   * @param now for what
   * @param doing what the rank does, for example {@code validates after step 10}
   */
  void leaveSteps(MemoryUse now, String doing) {
    use = now;
    what = doing;
  }

  /** Notes that memory is now taken for steps, as it is from the beginning on. */
  void enterSteps() {
    use = MemoryUse.STEP;
  }

  /** What ends the rank, with what it held, what would fit, and what a new start is to change. */
  TooLittleMemoryException ends(OutOfMemoryException failure, int ranks) {
    return use == MemoryUse.STEP ? endsInStep(failure, ranks) : endsOutside(failure, ranks);
  }

  private TooLittleMemoryException endsOutside(OutOfMemoryException failure, int ranks) {
    StepMemory memory = memory(failure.device());
    // What was changed in place is of steps: between them the rank does as its file says.
    boolean asks = use == MemoryUse.EVALUATION && isInUse();
    MemoryRemedy before = asks ? MemoryRemedy.now(config) : now();
    long need = memory.with(before).ofRank().bytes();
    List<MemoryRemedy> ways =
        Stream.concat(
                asks ? Stream.of(now()) : Stream.empty(),
                LessMemory.of(config, use, now()).ways().stream())
            .filter(way -> memory.with(way).ofRank().bytes() < need)
            .toList();
    LessMemory lessens = new LessMemory(config, ways);
    List<String> overrides =
        lessens.choose(0, way -> memory.with(way).ofRank().bytes(), failure.available()).stream()
            .mapToObj(lessens::overrides)
            .findFirst()
            .orElse(List.of());
    String remedy =
        overrides.isEmpty()
            ? "No setting of the run takes less of that: take a smaller model or shorter sequences,"
                + " more ranks that share it, or a device with more memory"
            : "A start with " + String.join(" ", overrides) + " takes less of that";
    return new TooLittleMemoryException(
        RankMemory.explained(failure, step.rank(), ranks, what, remedy),
        config.remedies().outOfMemory() ? overrides : List.of(),
        false);
  }

  private TooLittleMemoryException endsInStep(OutOfMemoryException failure, int ranks) {
    OptionalInt way = choose(failure);
    return new TooLittleMemoryException(
        RankMemory.explained(failure, step.rank(), ranks, memory(failure.device())),
        way.isPresent() ? less.overrides(way.getAsInt()) : List.of(),
        true);
  }

  private OptionalInt choose(OutOfMemoryException failure) {
    StepMemory memory = memory(failure.device());
    return less.choose(tried, way -> memory.with(way).ofRank().bytes(), failure.available());
  }

  private StepMemory memory(Device device) {
    return new StepMemory(
        step, device, 1, List.of(), config.training().deterministic(), RunMemory.evaluated(config));
  }
}
