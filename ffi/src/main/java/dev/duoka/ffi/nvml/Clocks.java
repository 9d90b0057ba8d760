package dev.duoka.ffi.nvml;

import java.util.Optional;

/**
 * Clocks in MHz.
 *
 * @param sm the multiprocessors' clock now
 * @param memory the memory's clock now
 * @param maxSm the multiprocessors' clock at most
 * @param maxMemory the memory's clock at most
 */
public record Clocks(int sm, int memory, Optional<Integer> maxSm, Optional<Integer> maxMemory) {}
