/**
 * Our own CUDA kernels: each class launches those of one source in the resource folder of the same
 * name, and is the fast version of a composition of ATen operators, which stays the truth that it
 * is tested against. {@link dev.duoka.tensor.kernel.KernelFamily} compiles a source for each dtype;
 * start at {@link dev.duoka.tensor.kernel.SwiGluKernels}, the smallest.
 *
 * <p>A class says with {@code take} which tensors it serves: on CUDA in fp32, bf16 and fp16, dense,
 * and where it moves rows of the model's dtype, with rows of whole 16-byte packs. On {@code meta}
 * the 16-bit dtypes are taken as well, so that a dry run books what a GPU would; nothing is
 * launched there.
 */
package dev.duoka.tensor.kernel;
