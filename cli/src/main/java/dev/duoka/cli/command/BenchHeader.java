package dev.duoka.cli.command;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.environment.CudaFacts;
import dev.duoka.machine.environment.EnvironmentReport;
import dev.duoka.machine.environment.LibraryFacts;
import dev.duoka.train.device.SingleDevice;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import tools.jackson.databind.node.ObjectNode;

/**
 * What every result of a measurement begins with, so that it explains itself: when, by which
 * command, on what, with which versions.
 */
final class BenchHeader {
  /** What the share is that every benchmark prints; for its help. */
  static final String ROOFLINE =
      "Roofline utilisation is the floor of a step by its time. The floor is the sum over the"
          + " step's functions of the larger of two times: their products, each measured alone in"
          + " its own shape on this device, and their bytes at the rate of a large copy. Work done"
          + " twice to save memory is not in it; the optimizer goes by its bytes.";

  private BenchHeader() {}

  /** A report that has its header; {@code device} is what was measured on. */
  static ObjectNode report(CommandSpec spec, SingleDevice device) {
    return report(spec, device, 1);
  }

  /** As the other method, of several ranks; {@code device} is that of the first. */
  static ObjectNode report(CommandSpec spec, SingleDevice device, int ranks) {
    EnvironmentReport environment = EnvironmentReport.collect();
    ObjectNode report = Json.object();
    report.put("date", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    report.put("command", command(spec.root().commandLine().getParseResult().originalArgs()));
    report.put("duoka", Version.number());
    report.put("java", environment.java().version());
    environment.libTorch().version().ifPresent(put(report, "libtorch"));
    report.put("device", device.toString());
    if (device.isCuda()) {
      card(report, environment, device, ranks);
    } else if (!device.isMeta()) {
      environment.host().cpuModel().ifPresent(put(report, "card"));
      report.put("processors", environment.host().processors());
    }
    return report;
  }

  private static void card(
      ObjectNode report, EnvironmentReport environment, SingleDevice device, int ranks) {
    Optional<CudaFacts.Device> card =
        environment.cuda().devices().stream()
            .filter(candidate -> candidate.device().equals(device.toString()))
            .findFirst();
    card.map(CudaFacts.Device::name).ifPresent(put(report, "card"));
    card.map(CudaFacts.Device::computeCapability).ifPresent(put(report, "compute_capability"));
    environment.nvml().driverVersion().ifPresent(put(report, "driver"));
    environment.libTorch().cudaVersion().ifPresent(put(report, "cuda"));
    for (LibraryFacts library : environment.libraries()) {
      if (ranks > 1 || !library.name().equals("NCCL")) { // one rank exchanges nothing
        library.version().ifPresent(put(report, library.name().toLowerCase(Locale.ROOT)));
      }
    }
  }

  private static Consumer<String> put(ObjectNode report, String name) {
    return value -> report.put(name, value);
  }

  /** The command line, ready to be given to a shell again. */
  private static String command(List<String> arguments) {
    return arguments.stream()
        .map(
            word ->
                word.matches("[A-Za-z0-9_@%+=:,./-]+")
                    ? word
                    : "'" + word.replace("'", "'\\''") + "'")
        .collect(Collectors.joining(" ", "duoka ", ""));
  }
}
