package dev.duoka.ffi.nvml;

/**
 * Between which values a device's power limit can be set, in watts.
 *
 * @param min the lowest
 * @param max the highest
 */
public record PowerRange(double min, double max) {}
