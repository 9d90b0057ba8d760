/**
 * Our own kernels one by one, {@link dev.duoka.measure.kernel.KernelBenchmark}, and what the device
 * can do at best, {@link dev.duoka.measure.kernel.DeviceRates}.
 */
package dev.duoka.measure.kernel;
