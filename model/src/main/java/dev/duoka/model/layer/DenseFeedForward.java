package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.SwiGlu;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Section;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.model.weight.WeightDeclarations.Rows;

/** The SwiGLU network: {@code down(silu(gate(x)) · up(x))}. */
public final class DenseFeedForward implements FeedForward {
  private final Weight gateAndUp;
  private final Weight down;

  /** Declares the weights under the checkpoint's {@code prefix}. */
  public DenseFeedForward(
      WeightDeclarations weights, String prefix, long hiddenSize, long intermediateSize) {
    Section hidden = Section.of(Axis.HIDDEN, hiddenSize);
    Section inner = Section.of(Axis.FEED_FORWARD, intermediateSize);
    gateAndUp =
        weights.stackedRows(
            prefix + "gate_up_proj.weight",
            hidden,
            new Rows(prefix + "gate_proj.weight", inner),
            new Rows(prefix + "up_proj.weight", inner));
    down = weights.matrix(prefix + "down_proj.weight", hidden, inner);
  }

  @Override
  public Variable addTo(Variable residual, Pass pass, Variable hidden) {
    Tape tape = pass.tape();
    Variable joint = Projection.apply(pass, gateAndUp, hidden);
    Variable activated = tape.apply(new SwiGlu(), joint);
    return Projection.apply(pass, down, activated, residual);
  }
}
