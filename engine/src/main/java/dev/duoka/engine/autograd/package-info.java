/**
 * Explicit automatic differentiation.
 *
 * <p>A model applies {@link dev.duoka.engine.autograd.Function}s to {@link
 * dev.duoka.engine.autograd.Variable}s through a {@link dev.duoka.engine.autograd.Tape}. Each
 * function says what it saves, and computes the gradients of its inputs and of its weights in two
 * separate steps, so that a schedule may run them apart. Nothing is discovered by tracing: what a
 * step saves, recomputes or offloads is decided here, in {@link
 * dev.duoka.engine.autograd.SavedTensors} and {@link dev.duoka.layout.Recompute}.
 */
package dev.duoka.engine.autograd;
