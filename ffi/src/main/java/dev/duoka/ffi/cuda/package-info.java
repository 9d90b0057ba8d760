/**
 * The CUDA driver and the run-time compiler: which GPUs there are, and kernels of our own on them.
 *
 * <p>Read {@link dev.duoka.ffi.cuda.CudaAvailability} first (can this process use a GPU, and why
 * not), then {@link dev.duoka.ffi.cuda.CudaDriver} and {@link dev.duoka.ffi.cuda.CudaDevice} (what
 * is there), then {@link dev.duoka.ffi.cuda.CudaKernel} (compile, cache, load, launch) with its
 * parts {@link dev.duoka.ffi.cuda.Nvrtc}, {@link dev.duoka.ffi.cuda.KernelCache} and {@link
 * dev.duoka.ffi.cuda.KernelCall}.
 *
 * <p>Tensor operators do not come through here: LibTorch issues those itself. Both share the
 * device's primary context and LibTorch's streams.
 */
package dev.duoka.ffi.cuda;
