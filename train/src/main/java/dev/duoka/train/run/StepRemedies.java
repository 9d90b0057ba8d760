package dev.duoka.train.run;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.train.config.MemoryRemedy;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.memory.LessMemory;
import dev.duoka.train.memory.RankMemory;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.memory.TooLittleMemoryException;
import dev.duoka.train.step.RankBuilder;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What one rank of a run changes when memory runs out, and which of it is in use. One thread, that
 * of the rank.
 */
final class StepRemedies {
  private final LessMemory less;
  private final RunConfig config;
  private final DryRunJob step;
  private int tried;

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

  /** What ends the rank, with what it held, what would fit, and what a new start is to change. */
  TooLittleMemoryException ends(OutOfMemoryException failure, int ranks) {
    OptionalInt way = choose(failure);
    return new TooLittleMemoryException(
        RankMemory.explained(failure, step.rank(), ranks, memory(failure.device())),
        way.isPresent() ? less.overrides(way.getAsInt()) : List.of());
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
