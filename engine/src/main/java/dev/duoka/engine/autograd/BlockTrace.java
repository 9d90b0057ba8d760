package dev.duoka.engine.autograd;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Tensor;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the first run of a block showed, so that the second, which is there for the saved tensors
 * alone, computes nothing that no gradient reads: the product at the block's end, say, whose output
 * only leads into the block's own.
 */
final class BlockTrace {
  /**
   * One application.
   *
   * @param saves how many tensors it saved
   * @param outputs how many it returned
   * @param producers of its inputs, by ordinal; without those from outside
   */
  private record Step(int saves, int outputs, List<Source> producers) {}

  /** An output of a step. */
  private record Source(int step, int output) {}

  private final Set<Parameter> parameters = new LinkedHashSet<>();
  private final List<Step> steps = new ArrayList<>();
  private final IdentityHashMap<Tensor, Source> sources = new IdentityHashMap<>();

  void add(Function function, Tensor[] inputs, Tensor[] outputs, int saves) {
    parameters.addAll(function.trained());
    List<Source> producers = new ArrayList<>();
    for (Tensor input : inputs) {
      Source source = sources.get(input);
      if (source != null) {
        producers.add(source);
      }
    }
    for (int i = 0; i < outputs.length; i++) {
      sources.put(outputs[i], new Source(steps.size(), i));
    }
    steps.add(new Step(saves, outputs.length, producers));
  }

  /** The trained parameters that were used. */
  List<Parameter> parameters() {
    return List.copyOf(parameters);
  }

  /**
   * What each application has to do again, in the order of the first run. An output that no
   * application takes may have been read outside of them, so it counts as read unless it is the
   * block's own.
   */
  List<Again> secondRun(Tensor blockOutput) {
    Source last = sources.get(blockOutput);
    Again[] plan = new Again[steps.size()];
    for (int i = plan.length - 1; i >= 0; i--) {
      Step step = steps.get(i);
      plan[i] = new Again(isRead(i, last, plan), step.saves(), step.outputs());
    }
    sources.clear();
    return List.of(plan);
  }

  private boolean isRead(int step, @Nullable Source blockOutput, Again[] plan) {
    for (int output = 0; output < steps.get(step).outputs(); output++) {
      Source source = new Source(step, output);
      boolean taken = source.equals(blockOutput);
      for (int later = step + 1; later < plan.length; later++) {
        if (steps.get(later).producers().contains(source)) {
          taken = true;
          if (plan[later].whole() || plan[later].saves() > 0) {
            return true;
          }
        }
      }
      if (!taken) {
        return true;
      }
    }
    return false;
  }

  /**
   * One application in the second run.
   *
   * @param whole whether it runs as before; otherwise nobody reads its outputs, and it only saves
   * @param saves how many tensors it saves
   * @param outputs how many it returns
   */
  record Again(boolean whole, int saves, int outputs) {}
}
