package dev.duoka.train.memory;

import dev.duoka.train.config.MemoryRemedies;
import dev.duoka.train.config.MemoryRemedy;
import dev.duoka.train.config.RunConfig;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * Decides which remedy a run takes when its memory does not suffice: for a step that is repeated in
 * place and for a start alike, nobody else does.
 *
 * @param config as the run was started
 * @param ways of that run, each of which takes less than the one before it
 */
public record LessMemory(RunConfig config, List<MemoryRemedy> ways) {
  public LessMemory {
    ways = List.copyOf(ways);
  }

  /** Those of a run; none where its file wants none. */
  public static LessMemory of(RunConfig config) {
    return new LessMemory(
        config, config.remedies().outOfMemory() ? MemoryRemedies.of(config) : List.of());
  }

  /**
   * Those of a run for which memory was taken outside of its steps, or in them.
   *
   * @param now how the run takes its steps
   */
  public static LessMemory of(RunConfig config, MemoryUse use, MemoryRemedy now) {
    return new LessMemory(config, use.remedies(config, now));
  }

  /**
   * What a supervisor may override for too little memory outside of steps, by what a worker says
   * that it was taken for; those of {@link #of(RunConfig)} are not among them.
   */
  public static List<List<String>> outsideOfSteps(RunConfig config) {
    if (!config.remedies().outOfMemory()) {
      return List.of();
    }
    List<MemoryRemedy> ofSteps = MemoryRemedies.of(config);
    // Workers start from what the run has gone over to in steps.
    return Stream.concat(Stream.of(MemoryRemedy.now(config)), ofSteps.stream())
        .flatMap(
            now ->
                Stream.of(MemoryUse.EVALUATION, MemoryUse.STATES)
                    .flatMap(use -> use.remedies(config, now).stream()))
        .distinct()
        .filter(way -> !ofSteps.contains(way))
        .map(way -> way.overrides(config))
        .toList();
  }

  /**
   * The number of the first way beyond those that were tried whose step is counted to fit. Where
   * none is, it is the next one that takes less than the one that was tried last: what is known to
   * be there is what could be held, and there may be a little more. Synchronous; takes a dry run
   * for each way that does not fit.
   *
   * @param tried how many were tried
   * @param need of a step with a way, in bytes, by a dry run
   * @param bytes that are there for it
   * @return empty when nothing is left that takes less
   */
  public OptionalInt choose(int tried, ToLongFunction<MemoryRemedy> need, long bytes) {
    for (int way = tried; way < ways.size(); way++) {
      if (need.applyAsLong(ways.get(way)) <= bytes) {
        return OptionalInt.of(way);
      }
    }
    long last = tried == 0 ? Long.MAX_VALUE : need.applyAsLong(ways.get(tried - 1));
    // On a CPU states that leave for host memory stay where they were, with buffers beside them.
    for (int way = tried; way < ways.size(); way++) {
      if (need.applyAsLong(ways.get(way)) < last) {
        return OptionalInt.of(way);
      }
    }
    return OptionalInt.empty();
  }

  /** Whether a run can go over to a way between two steps, without a new start. */
  public boolean isInPlace(int way) {
    return ways.get(way).keepsStates(config);
  }

  /** What overrides the run's file to begin with a way. */
  public List<String> overrides(int way) {
    return ways.get(way).overrides(config);
  }
}
