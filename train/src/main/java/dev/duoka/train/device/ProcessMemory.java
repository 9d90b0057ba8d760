package dev.duoka.train.device;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** This process's memory as Linux counts it. */
public final class ProcessMemory {
  private static final Path STATUS = Path.of("/proc/self/status");

  private ProcessMemory() {}

  /** Bytes resident now; 0 where the system does not tell. */
  public static long residentBytes() {
    return kibibytes("VmRSS:") * 1024;
  }

  /** The most bytes that were ever resident; 0 where the system does not tell. */
  public static long peakResidentBytes() {
    return kibibytes("VmHWM:") * 1024;
  }

  /**
   * Bytes resident now that are no pages of mapped files, such as the tokens that a run reads; 0
   * where the system does not tell.
   */
  public static long anonymousBytes() {
    return (kibibytes("RssAnon:") + kibibytes("RssShmem:")) * 1024;
  }

  /**
   * Bytes of the JVM's heap that were ever used and are still its own: about what of it is
   * resident.
   */
  public static long heapBytes() {
    long used = 0;
    for (MemoryPoolMXBean pool : ManagementFactory.getMemoryPoolMXBeans()) {
      used += pool.getType() == MemoryType.HEAP ? pool.getPeakUsage().getUsed() : 0;
    }
    return Math.min(used, Runtime.getRuntime().totalMemory());
  }

  private static long kibibytes(String field) {
    List<String> lines;
    try {
      lines = Files.readAllLines(STATUS);
    } catch (IOException e) {
      return 0;
    }
    for (String line : lines) {
      if (line.startsWith(field)) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    return 0;
  }
}
