package dev.duoka.machine.environment;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.library.LibrarySearch;
import java.util.Map;
import java.util.TreeMap;

/** Versions of what decides how fast a machine computes, by the names that profiles have. */
public final class MachineVersions {
  private MachineVersions() {}

  /**
   * Of the driver and of the LibTorch that would be loaded, whichever are there: those that people
   * replace, and whose libraries come with them. Loads NVML and nothing else.
   */
  public static Map<String, String> ofDriverAndLibTorch() {
    Map<String, String> versions = new TreeMap<>();
    NvmlFacts.collect().driverVersion().ifPresent(it -> versions.put("driver", it));
    try {
      versions.put("libtorch", new LibrarySearch().choose().version());
    } catch (DuokaException e) { // there is none, and nothing to compare
      return versions;
    }
    return versions;
  }
}
