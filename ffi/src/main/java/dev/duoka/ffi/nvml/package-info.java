/**
 * The state of the GPUs as NVIDIA's driver reports it: memory, temperature, power, clocks, links
 * and errors. It reads and never changes anything.
 *
 * <p>Read {@link dev.duoka.ffi.nvml.Nvml} first, then {@link dev.duoka.ffi.nvml.NvmlDevice}. The
 * logic (units, sentinels, what is absent) sits in those two and in {@code NvmlReader} behind the
 * interface {@code NvmlCalls}, which {@code NativeNvml} implements by the table {@code
 * NvmlFunction}.
 */
package dev.duoka.ffi.nvml;
