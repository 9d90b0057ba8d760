/**
 * Tensors and who owns their memory.
 *
 * <p>Read {@link dev.duoka.tensor.Tensor} first, then {@link dev.duoka.tensor.Scope} (which frees
 * them) and {@link dev.duoka.tensor.MemoryLedger} (which knows how many bytes live, and for what).
 * The operators are in {@link dev.duoka.tensor.op}.
 */
package dev.duoka.tensor;
