package dev.duoka.engine.autograd;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A block of which only the input is kept; the backward pass runs it forward again on a tape of its
 * own (Chen et al., arXiv:1604.06174), whose saved tensors go to the same hook, and leaves out what
 * only leads to the block's output ({@link BlockTrace}). What the block computes must depend on
 * nothing but its input and the parameters.
 */
final class RecomputedBlock extends Function {
  private final Tape.UnaryOperatorOnTape body;
  private final @Nullable SavedTensorHook hook;
  private final Substitution substitution;
  private boolean defers;
  private @Nullable Tape again;
  private List<Parameter> parameters = List.of();
  private List<BlockTrace.Again> secondRun = List.of();

  /**
   * A block.
   *
   * @param hook what keeps the saved tensors of the second run; null for none
   */
  RecomputedBlock(
      Tape.UnaryOperatorOnTape body, @Nullable SavedTensorHook hook, Substitution substitution) {
    this.body = body;
    this.hook = hook;
    this.substitution = substitution;
  }

  /** Has {@link #inputGradients} leave the parameters to {@link #weightGradients}. */
  void deferWeights() {
    defers = true;
  }

  @Override
  public String name() {
    return "recomputed block";
  }

  /** Known once the block has run forward. */
  @Override
  public List<Parameter> parameters() {
    return parameters;
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    saved.saveInput("input", 0);
    BlockTrace trace = new BlockTrace();
    Tape tracing = Tape.tracing(trace);
    tracing.substituteWith(substitution);
    Tensor output = body.apply(tracing, Variable.constant(inputs[0])).value();
    parameters = trace.parameters();
    secondRun = trace.secondRun(output);
    return new Tensor[] {output};
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tape tape = Tape.recordingAgain(secondRun);
    boolean kept = false;
    try (Scope scope = Scope.open()) {
      tape.substituteWith(substitution);
      if (hook != null) {
        tape.keepSavedTensorsWith(hook);
      }
      boolean wantsInput = saved.needsInputGradient(0);
      Tensor value = saved.get("input");
      Variable input = wantsInput ? tape.leaf(value) : Variable.constant(value);
      Variable output = body.apply(tape, input);
      if (defers) {
        tape.backwardInputs(DeferredWeights.ALL, output, only(gradOutputs));
        again = tape;
        kept = true;
      } else {
        tape.backward(output, only(gradOutputs));
      }
      return new @Nullable Tensor[] {wantsInput ? scope.keep(input.gradient().share()) : null};
    } finally {
      if (!kept) {
        tape.close();
      }
    }
  }

  /** What {@link #inputGradients} has put off; nothing where it did both. */
  @Override
  public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tape tape = again;
    if (tape != null) {
      try (tape) {
        again = null;
        tape.backwardWeights();
      }
    }
  }

  /** Frees what waits, after a failure. */
  @Override
  public void release() {
    Tape tape = again;
    again = null;
    if (tape != null) {
      tape.close();
    }
  }
}
