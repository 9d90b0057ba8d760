package dev.duoka.ffi.library;

import java.nio.file.Path;

/**
 * One LibTorch installation that was looked at.
 *
 * @param origin how it was found, for example {@code DUOKA_LIBTORCH} or {@code installed PyTorch}
 * @param folder the folder that holds {@code libtorch_cpu.so}
 * @param version the version it states, for example {@code 2.11.0+cu130}; empty when unknown
 * @param cuda whether {@code libtorch_cuda.so} is there
 * @param usable whether this installation can be loaded
 * @param reason why it was chosen or passed over
 */
public record LibraryChoice(
    String origin, Path folder, String version, boolean cuda, boolean usable, String reason) {}
