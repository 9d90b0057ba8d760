/**
 * The operators, by family: {@link dev.duoka.tensor.op.Tensors} makes, {@link
 * dev.duoka.tensor.op.Views} reshapes without copying, {@link dev.duoka.tensor.op.Elementwise},
 * {@link dev.duoka.tensor.op.Products}, {@link dev.duoka.tensor.op.Reductions}, {@link
 * dev.duoka.tensor.op.Indexing}, {@link dev.duoka.tensor.op.Activations} and {@link
 * dev.duoka.tensor.op.AttentionKernels} compute, {@link dev.duoka.tensor.op.HostCopy} moves data to
 * and from Java.
 *
 * <p>Unless said otherwise an operator returns a new tensor in the current {@link
 * dev.duoka.tensor.Scope}, works on {@code cpu}, {@code cuda} and {@code meta}, and on CUDA only
 * launches: nothing waits for the result except {@link dev.duoka.tensor.op.HostCopy}. Names and
 * meanings are those of the ATen operators that do the work.
 */
package dev.duoka.tensor.op;
