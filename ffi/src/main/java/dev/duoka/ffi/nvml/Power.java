package dev.duoka.ffi.nvml;

import java.util.Optional;

/**
 * Power in watts.
 *
 * @param draw what the device draws, averaged over one second on recent chips
 * @param limit what it may draw now
 * @param defaultLimit what it may draw unless someone changed that
 */
public record Power(Optional<Double> draw, Optional<Double> limit, Optional<Double> defaultLimit) {}
