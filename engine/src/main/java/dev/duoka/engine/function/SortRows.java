package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Indexing;
import dev.duoka.tensor.op.Views;
import org.jspecify.annotations.Nullable;

/** The routing weights {@code [n, k]} in the order of the sorted rows: {@code [n·k, 1]}. */
public final class SortRows extends Function {
  private final Routing routing;

  /** The order of {@code routing}. */
  public SortRows(Routing routing) {
    this.routing = routing;
  }

  @Override
  public String name() {
    return "sort rows";
  }

  @Override
  public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
    return new Tensor[] {
      Indexing.rows(Views.reshape(Views.dense(inputs[0]), -1, 1), routing.order())
    };
  }

  @Override
  public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
    Tensor unsorted = Indexing.rows(only(gradOutputs), routing.position());
    return new @Nullable Tensor[] {Views.reshape(unsorted, -1, routing.expertsPerToken())};
  }
}
