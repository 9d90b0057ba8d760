package dev.duoka.ffi.nvml;

/**
 * How busy a device was.
 *
 * @param gpu per cent of the time in which a kernel ran: one small kernel at a time gives 100 too
 * @param memory per cent of the time in which device memory was read or written
 */
public record Utilization(int gpu, int memory) {}
