package dev.duoka.engine.function;

import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;

/** Where the experts of a model are, and so how tokens get to them. */
@FunctionalInterface
public interface ExpertPlacement extends AutoCloseable {
  /** All of them here. */
  ExpertPlacement HERE = Routing::of;

  /**
   * The way of tokens to their experts and back.
   *
   * @param chosen int64 {@code [n, k]}: the experts of each token here
   * @param experts of the model
   * @param dtype what the model computes in
   */
  Routing route(Tensor chosen, int experts, Dtype dtype);

  /** Frees what it keeps from layer to layer. */
  @Override
  default void close() {}
}
