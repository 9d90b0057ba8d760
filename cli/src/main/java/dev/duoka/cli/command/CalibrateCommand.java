package dev.duoka.cli.command;

import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.MachineProfileFile;
import dev.duoka.machine.environment.CudaFacts;
import dev.duoka.machine.environment.EnvironmentReport;
import dev.duoka.machine.environment.LibraryFacts;
import dev.duoka.measure.calibrate.Calibration;
import dev.duoka.measure.calibrate.CalibrationText;
import dev.duoka.train.device.SingleDevice;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code duoka calibrate}: what this machine can do, for the planner. */
@Command(
    name = "calibrate",
    description = {
      "Measure this machine in a few minutes, never a model: products by shape, attention, kernels,"
          + " exchanges by size and number of cards, host links, the optimizer on the host, the"
          + " disk. 'plan' and 'train' then predict times from it, on this machine, instead of"
          + " from the catalogue of cards.",
      "The machine must be idle. On another machine: plan --profile FILE.",
      "Example: duoka calibrate"
    })
final class CalibrateCommand implements Callable<Integer> {
  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "Where the profile is written; without it where 'plan' looks for this machine's, and that"
              + " of a CPU beside it.")
  private @Nullable Path output;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description = "auto (GPUs), cuda, or cpu (auto).")
  private String device = "auto";

  @Option(
      names = "--disk",
      paramLabel = "FOLDER",
      defaultValue = ".",
      description = "An existing folder on the disk that checkpoints go to (the current one).")
  private Path disk = Path.of(".");

  @Option(names = "--json", description = "Print the profile as one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    SingleDevice first = SingleDevice.parseToMeasure(device);
    Path file = output == null ? MachineProfileFile.usual(first.isCuda()) : output;
    MachineProfileFile.prepare(file); // before minutes of measuring
    MachineProfile profile = measure(first);
    MachineProfileFile.write(file, profile);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(MachineProfileFile.json(profile)));
    } else {
      CalibrationText.print(profile, out);
      out.printf("%nwritten to %s%n", file.toAbsolutePath());
    }
    out.flush();
    return 0;
  }

  private MachineProfile measure(SingleDevice first) {
    EnvironmentReport environment = EnvironmentReport.collect();
    Map<String, String> versions = new TreeMap<>();
    environment.libTorch().version().ifPresent(it -> versions.put("libtorch", it));
    environment.nvml().driverVersion().ifPresent(it -> versions.put("driver", it));
    for (LibraryFacts library : environment.libraries()) {
      library.version().ifPresent(it -> versions.put(library.name().toLowerCase(Locale.ROOT), it));
    }
    List<String> cards =
        first.isCuda()
            ? environment.cuda().devices().stream().map(CudaFacts.Device::name).toList()
            : List.of();
    try (ProgressLine line = ProgressLine.open("calibrating", spec.commandLine().getErr())) {
      return Calibration.run(
          first,
          Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
          cards,
          versions,
          disk,
          line::reached);
    }
  }
}
