package dev.duoka.train.snapshot;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.environment.EnvironmentReport;
import dev.duoka.machine.environment.LibraryFacts;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/** The versions of the native libraries that a run computes by; absent ones are left out. */
final class LibraryVersions {
  private LibraryVersions() {}

  static ObjectNode of(EnvironmentReport report) {
    ObjectNode json = Json.object();
    put(json, "libtorch", report.libTorch().version());
    put(json, "libtorch_abi", report.libTorch().abiVersion());
    put(json, "libtorch_cuda", report.libTorch().cudaVersion());
    put(json, "libtorch_origin", report.libTorch().origin());
    put(json, "nvidia_driver", report.nvml().driverVersion());
    put(json, "driver_cuda", report.cuda().driverSupports());
    for (LibraryFacts library : report.libraries()) {
      put(json, library.name().toLowerCase(Locale.ROOT), library.version());
    }
    return json;
  }

  private static void put(ObjectNode json, String name, Optional<String> version) {
    version.ifPresent(value -> json.put(name, value));
  }
}
