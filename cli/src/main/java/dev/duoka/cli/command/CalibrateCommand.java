package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.hardware.profile.HostSample;
import dev.duoka.hardware.profile.MachineProfile;
import dev.duoka.hardware.profile.MachineProfileFile;
import dev.duoka.hardware.profile.Pass;
import dev.duoka.hardware.profile.ProductSample;
import dev.duoka.hardware.profile.StreamSample;
import dev.duoka.machine.environment.CudaFacts;
import dev.duoka.machine.environment.EnvironmentReport;
import dev.duoka.machine.environment.LibraryFacts;
import dev.duoka.measure.calibrate.Calibration;
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
      "The machine must be idle. On another machine: plan --profile FILE."
    })
final class CalibrateCommand implements Callable<Integer> {
  @Option(
      names = "--output",
      paramLabel = "FILE",
      description =
          "Where the profile is written; without it where 'plan' looks for this machine's.")
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
      description = "A folder on the disk that checkpoints go to (the current one).")
  private Path disk = Path.of(".");

  @Option(names = "--json", description = "Print the profile as one JSON object.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    SingleDevice first = SingleDevice.parseForBenchmark(device);
    Path file = output == null ? MachineProfileFile.usual() : output;
    MachineProfile profile = measure(first);
    MachineProfileFile.write(file, profile);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(MachineProfileFile.json(profile)));
    } else {
      print(profile, out);
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

  private static void print(MachineProfile profile, PrintWriter out) {
    out.printf(Locale.ROOT, "%s, in %.0f s%n", profile.title(), profile.seconds());
    out.printf(
        Locale.ROOT, "%n%-38s %9s %9s %9s   TFLOP/s%n", "products", "forward", "inputs", "weights");
    for (ProductSample sample : profile.products()) {
      String shape =
          sample.groups() == 0
              ? sample.rows() + " x " + sample.in() + " x " + sample.out()
              : sample.groups()
                  + " of "
                  + sample.rows() / sample.groups()
                  + " x "
                  + sample.in()
                  + " x "
                  + sample.out();
      out.printf(
          Locale.ROOT,
          "%-38s %9.1f %9.1f %9.1f%n",
          sample.format() + "  " + shape,
          rate(sample, Pass.FORWARD),
          rate(sample, Pass.INPUT_GRADIENTS),
          rate(sample, Pass.WEIGHT_GRADIENTS));
    }
    out.printf(Locale.ROOT, "%n%-38s %9s %9s   TFLOP/s%n", "attention", "forward", "backward");
    profile
        .attention()
        .forEach(
            it ->
                out.printf(
                    Locale.ROOT,
                    "%-38s %9.1f %9.1f%n",
                    it.heads()
                        + " heads of "
                        + it.width()
                        + "/"
                        + it.valueWidth()
                        + ", "
                        + it.length()
                        + " tokens",
                    it.flops() / it.forward() * 1e-12,
                    2.5 * it.flops() / it.backward() * 1e-12));
    out.printf("%n%-62s %9s %9s%n", "bound by memory", "µs", "GB/s");
    for (StreamSample stream : profile.streams()) {
      out.printf(
          Locale.ROOT,
          "%-62s %9.1f %9.1f%n",
          stream.name(),
          stream.latency() * 1e6,
          stream.bytesPerSecond() * 1e-9);
    }
    if (!profile.exchanges().isEmpty()) {
      out.printf("%n%-38s %9s %9s%n", "exchange", "µs", "GB/s");
      profile
          .exchanges()
          .forEach(
              it ->
                  out.printf(
                      Locale.ROOT,
                      "%-38s %9.1f %9.1f%n",
                      it.name() + " of " + it.ranks() + ", " + ByteSize.text(it.bytes()),
                      it.seconds() * 1e6,
                      it.bytes() / it.seconds() * 1e-9));
    }
    profile.host().ifPresent(host -> print(host, profile, out));
  }

  private static void print(HostSample host, MachineProfile profile, PrintWriter out) {
    out.printf(
        Locale.ROOT,
        "%nlaunch of an operator %.1f µs%nhost to card %.1f GB/s, back %.1f GB/s%n"
            + "AdamW on the host %.3f ns a weight%ndisk: written at %.2f GB/s, read at %.2f GB/s%n",
        profile.launchSeconds() * 1e6,
        host.toDevice() * 1e-9,
        host.toHost() * 1e-9,
        host.updateSeconds() * 1e9,
        host.diskWrite() * 1e-9,
        host.diskRead() * 1e-9);
  }

  private static double rate(ProductSample sample, Pass pass) {
    return sample.flops() / sample.seconds(pass) * 1e-12;
  }
}
