package dev.duoka.engine.autograd;

/**
 * Replaces functions as a tape applies them: the place where a layout over several devices puts the
 * sharded counterpart of a function, chosen by the function's type and by the axes of its weight's
 * sections ({@link dev.duoka.engine.parameter.ParameterSpec#sections}). The model that applies the
 * function does not see it.
 *
 * <p>A substitute takes the same inputs and returns as many outputs; their number of rows may
 * differ, so models take rows and heads from tensors. In a recomputed block it runs again in the
 * backward pass, in the same order.
 */
@FunctionalInterface
public interface Substitution {
  /** Every function as it is. */
  Substitution NONE = function -> function;

  /** The function to apply instead; {@code function} itself where nothing is to change. */
  Function of(Function function);
}
