package dev.duoka.cli.command;

import dev.duoka.base.Plural;
import dev.duoka.doctor.check.CopyResult;
import dev.duoka.doctor.check.CopyTest;
import dev.duoka.doctor.check.Doctor;
import dev.duoka.doctor.check.DoctorDocs;
import dev.duoka.doctor.check.DoctorReport;
import dev.duoka.doctor.check.DoctorReportJson;
import dev.duoka.doctor.check.Finding;
import dev.duoka.doctor.check.RunDemand;
import dev.duoka.doctor.check.Severity;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.Capture;
import dev.duoka.machine.probe.FolderProbe;
import dev.duoka.machine.probe.Gpu;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.PciDevice;
import dev.duoka.machine.probe.Reading;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.HostMemoryNeed;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code duoka doctor}: what is wrong with this machine, or with one that was captured. */
@Command(
    name = "doctor",
    description = {
      "Examine this machine, or captured outputs of another: versions, links, memory errors,"
          + " limits, settings. Each finding says what was seen, what follows, and what to type.",
      "Exit status 0 when nothing is above a note, 1 when there are errors or warnings.",
      "Example: duoka doctor"
    })
final class DoctorCommand implements Callable<Integer> {
  @Option(
      names = "--from",
      paramLabel = "PLACE",
      description =
          "A folder of --capture, or any outputs of nvidia-smi, lspci, dmesg and the like.")
  private @Nullable Path from;

  @Option(
      names = "--capture",
      paramLabel = "DIR",
      description = "Save what the tools of this machine print into a new folder, and stop.")
  private @Nullable Path capture;

  @Option(
      names = "--plan",
      paramLabel = "RUN.yaml",
      description = "Hold the host's memory against what this run needs.")
  private @Nullable Path plan;

  @Option(
      names = "--skip-copy-check",
      description = "Do not copy data between the GPUs (64 MiB twice on each).")
  private boolean skipCopies;

  @Option(
      names = {"-v", "--verbose"},
      description = "List every check, and what could not be seen.")
  private boolean verbose;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Option(names = "--docs", description = "Print the reference of all checks, in Markdown.")
  private boolean docs;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    if (docs) {
      out.print(DoctorDocs.markdown());
      out.flush();
      return 0;
    }
    if (capture != null) {
      return save(capture, out);
    }
    Optional<RunDemand> need = Optional.ofNullable(plan).map(DoctorCommand::need);
    MachineSnapshot machine = from == null ? LiveProbe.read() : FolderProbe.read(from);
    DoctorReport diagnosis = Doctor.examine(machine, copies(), need);
    if (json) {
      out.println(Json.line(DoctorReportJson.of(diagnosis)));
    } else {
      print(diagnosis, out);
    }
    out.flush();
    return diagnosis.isHealthy() ? 0 : 1;
  }

  private static RunDemand need(Path runFile) {
    RunConfig run = RunFile.read(runFile, List.of());
    HostMemoryNeed memory = HostMemoryNeed.of(run);
    return new RunDemand(memory.bytes(), memory.why(), run.gpus());
  }

  private int save(Path folder, PrintWriter out) {
    if (from != null || plan != null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--capture writes a folder and takes neither --from nor --plan");
    }
    List<String> missing = Capture.write(folder);
    out.println("Wrote " + folder + ". Examine it anywhere: ./duoka doctor --from " + folder);
    missing.forEach(line -> out.println("  left out: " + line));
    out.flush();
    return 0;
  }

  private Reading<List<CopyResult>> copies() {
    if (from != null) {
      return Reading.unknown("no data is copied on a captured machine");
    }
    return skipCopies ? Reading.unknown("left out by --skip-copy-check") : CopyTest.run();
  }

  private void print(DoctorReport diagnosis, PrintWriter out) {
    head(diagnosis.machine(), out);
    for (Finding finding : diagnosis.findings()) {
      out.printf(
          "%n%-8s%s  [%s]%n        %s%n        fix: %s%n",
          finding.severity().text(),
          finding.evidence(),
          finding.check(),
          finding.consequence(),
          finding.fix());
    }
    for (CopyResult copy : diagnosis.copies()) {
      if (verbose && copy.problem().isEmpty()) {
        out.printf(
            Locale.ROOT,
            "%ncopy    %s: %.1f GB/s%s%s",
            copy.way(),
            copy.gigabytesPerSecond(),
            copy.direct() ? ", direct" : "",
            copy.firstWrong() < 0 ? ", every byte right" : ", DAMAGED");
      }
    }
    out.println();
    diagnosis.machine().notes().forEach(note -> out.println("read:   " + note));
    long unseen = diagnosis.examined().stream().filter(check -> !check.unseen().isEmpty()).count();
    if (verbose) {
      for (DoctorReport.Examined check : diagnosis.examined()) {
        out.printf(
            "%-20s %s%s%n",
            check.check().id(),
            check.findings() == 0 ? "nothing found" : check.findings() + " found",
            check.unseen().isEmpty() ? "" : "; not seen: " + String.join("; ", check.unseen()));
      }
    }
    out.printf(
        "%s: %s, %s, %s%s%n",
        Plural.of(diagnosis.examined().size(), "check"),
        Plural.of(diagnosis.count(Severity.ERROR), "error"),
        Plural.of(diagnosis.count(Severity.WARNING), "warning"),
        Plural.of(diagnosis.count(Severity.NOTE), "note"),
        unseen == 0
            ? ""
            : "; "
                + unseen
                + " could not see all they need"
                + (verbose ? "" : " (--verbose says why)"));
  }

  private static void head(MachineSnapshot machine, PrintWriter out) {
    Map<String, Integer> names = new TreeMap<>();
    for (Gpu gpu : machine.gpuList()) {
      names.merge(gpu.name().optional().orElse("GPU of unknown name"), 1, Integer::sum);
    }
    StringBuilder gpus = new StringBuilder();
    names.forEach(
        (name, count) ->
            gpus.append(gpus.isEmpty() ? "" : ", ").append(count).append(" × ").append(name));
    out.println(
        machine.origin()
            + ": "
            + (gpus.isEmpty() ? withoutDriver(machine) : gpus)
            + machine.driver().version().optional().map(v -> ", driver " + v).orElse("")
            + machine
                .software()
                .torch()
                .optional()
                .map(torch -> ", PyTorch " + torch.version())
                .orElse(""));
  }

  /** What PCI alone tells of the GPUs. */
  private static String withoutDriver(MachineSnapshot machine) {
    long cards =
        machine.pci().optional().orElse(List.of()).stream()
            .filter(device -> device.kind() == PciDevice.Kind.GPU)
            .count();
    String view = machine.live() ? "driver cannot be asked" : "driver's view not captured";
    return cards == 0 ? "no GPU" : cards + " NVIDIA cards on PCI, " + view;
  }
}
