package dev.duoka.parallel.dryrun;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Work;
import java.util.ArrayList;
import java.util.List;

/** Keeps the parts of a step in their order, each with the least work that it needs. */
public final class StepParts implements FunctionObserver {
  /**
   * A part.
   *
   * @param name of the function, and of its weight where it has one
   * @param inBlock whether it belongs to a block of the model, which full recompute runs again
   */
  public record Part(Phase phase, String name, boolean inBlock, Work work) {
    /** The function's name without that of a weight: what all of its kind are called. */
    public String kind() {
      StringBuilder kind = new StringBuilder();
      for (String word : name.split(" ", -1)) {
        if (word.indexOf('.') >= 0) {
          break;
        }
        kind.append(kind.isEmpty() ? "" : " ").append(word);
      }
      return kind.toString();
    }
  }

  private final List<Part> parts = new ArrayList<>();
  private int block = NO_BLOCK;

  /** The parts of a step of one rank, on the calling thread. */
  public static List<Part> of(DryRunJob job) {
    StepParts seen = new StepParts();
    DryRun.observed(job, seen);
    return List.copyOf(seen.parts);
  }

  @Override
  public void enterBlock(Phase phase, int number) {
    block = number;
  }

  @Override
  public void begin(Phase phase, String name) {}

  @Override
  public void end(Phase phase, String name, Work work) {
    parts.add(new Part(phase, name, block != NO_BLOCK, work));
  }
}
