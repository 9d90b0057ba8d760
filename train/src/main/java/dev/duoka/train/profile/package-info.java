/**
 * Where time goes: {@link dev.duoka.train.profile.StepProfile} sees the parts of a step, {@link
 * dev.duoka.train.profile.DeviceRates} measures what the device can do, {@link
 * dev.duoka.train.profile.PerfettoTrace} writes a file to look at. {@link
 * dev.duoka.train.profile.KernelBenchmark} times our own kernels one by one, and {@link
 * dev.duoka.train.profile.LayerActivations} counts what a forward pass leaves behind.
 */
package dev.duoka.train.profile;
