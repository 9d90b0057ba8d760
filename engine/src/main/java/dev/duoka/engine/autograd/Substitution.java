package dev.duoka.engine.autograd;

/**
 * Decides what a tape does when a model applies a function: the place where a layout over several
 * devices puts exchanges around a function, or a sharded counterpart in its place, chosen by the
 * function's type and by the axes of its weight's sections ({@link
 * dev.duoka.engine.parameter.ParameterSpec#sections}). The model that applies the function does not
 * see it.
 *
 * <p>As many outputs come back as the function has; their number of rows may differ, so models take
 * rows and heads from tensors. In a recomputed block all of it happens again in the backward pass,
 * in the same order.
 */
@FunctionalInterface
public interface Substitution {
  /** Every function as it is. */
  Substitution NONE = Tape::applyAsIs;

  /**
   * Applies a function, or what takes its place, by one or more calls of {@link Tape#applyAsIs}.
   *
   * @param tape that the model applies the function on
   * @return the function's outputs
   */
  Variable[] apply(Tape tape, Function function, Variable... inputs);
}
