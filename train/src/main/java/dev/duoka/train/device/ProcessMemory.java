package dev.duoka.train.device;

import java.io.IOException;
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
