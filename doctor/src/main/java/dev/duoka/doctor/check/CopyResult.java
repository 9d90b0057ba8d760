package dev.duoka.doctor.check;

import java.util.Optional;

/**
 * What came of copying a pattern and comparing what arrived.
 *
 * @param way for example {@code GPU 0 to GPU 1}
 * @param kind which way it went
 * @param direct whether the GPUs reached each other without the host
 * @param bytes how many bytes were copied
 * @param firstWrong the offset of the first byte that differs; −1 when none does
 * @param gigabytesPerSecond the rate
 * @param problem why the copy failed; empty when it ran
 */
public record CopyResult(
    String way,
    Kind kind,
    boolean direct,
    long bytes,
    long firstWrong,
    double gigabytesPerSecond,
    Optional<String> problem) {
  /** Which way a copy goes. */
  public enum Kind {
    /** Host memory to a GPU and back. */
    HOST,
    /** Within a GPU. */
    DEVICE,
    /** From one GPU to another. */
    PEER
  }
}
