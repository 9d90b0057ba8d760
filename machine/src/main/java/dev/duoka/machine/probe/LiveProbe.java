package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.library.Presence;
import dev.duoka.ffi.nvml.Nvml;
import dev.duoka.ffi.nvml.NvmlDevice;
import dev.duoka.machine.topology.LiveTopology;
import dev.duoka.machine.topology.Topology;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Reads this machine once: NVML, /proc, /sys, the places where software lies, the kernel log. It
 * takes well under a second and changes nothing.
 */
public final class LiveProbe {
  private static final Duration KERNEL_LOG_TIMEOUT = Duration.ofMillis(500);

  private LiveProbe() {}

  /** The machine that this process runs on. */
  public static MachineSnapshot read() {
    return read(
        Nvml.find(), new SystemFiles(Path.of("/")), System.getenv(), CommandRunner.ofThisMachine());
  }

  /** The topology alone, for those who need no more of the snapshot. */
  public static Topology topology() {
    return LiveTopology.read(Nvml.find(), Path.of("/"));
  }

  /**
   * The topology as the system tells it, for those who do not compute on GPUs: no driver is asked,
   * which on a lost card would hold them up.
   */
  public static Topology topologyWithoutDriver() {
    return LiveTopology.read(
        Presence.absent("it was not asked", "duoka topo asks it"), Path.of("/"));
  }

  /**
   * What this machine is made of, for those who start with it: cards, links, host, PCI devices and
   * environment. The software on disk and the kernel's log, which take the time, stay unknown.
   */
  public static MachineSnapshot hardware() {
    return hardware(Nvml.find(), new SystemFiles(Path.of("/")), System.getenv());
  }

  static MachineSnapshot hardware(
      Presence<Nvml> nvml, SystemFiles files, Map<String, String> environment) {
    SnapshotDraft facts = new SnapshotDraft();
    String why = gpus(nvml, facts);
    facts.topology = LiveTopology.read(nvml, files.path(""));
    hostItself(files, environment, facts);
    facts.kernelLogProblem = "it was not asked for";
    return SnapshotBuilder.build(facts, "this machine", true, why);
  }

  static MachineSnapshot read(
      Presence<Nvml> nvml,
      SystemFiles files,
      Map<String, String> environment,
      CommandRunner commands) {
    SnapshotDraft facts = new SnapshotDraft();
    String why = gpus(nvml, facts);
    facts.topology = LiveTopology.read(nvml, files.path(""));
    host(files, environment, facts);
    kernelLog(files, commands, facts);
    return SnapshotBuilder.build(facts, "this machine", true, why);
  }

  /** What the file system and the environment tell; the capture takes its part of it from here. */
  static void host(SystemFiles files, Map<String, String> environment, SnapshotDraft facts) {
    hostItself(files, environment, facts);
    new SoftwareScan(files, environment, facts, true).read();
    try {
      Path shm = files.path("dev/shm");
      if (Files.isDirectory(shm)) {
        facts.host(HostField.SHM, Long.toString(Files.getFileStore(shm).getTotalSpace()));
      }
    } catch (IOException e) {
      facts.notes.add("/dev/shm cannot be examined: " + e.getMessage());
    }
  }

  private static void hostItself(
      SystemFiles files, Map<String, String> environment, SnapshotDraft facts) {
    new HostProbe(files, facts).read();
    PciProbe.read(files, facts);
    facts.environmentRead = true;
    facts.environment.putAll(EnvironmentFilter.filter(environment));
  }

  private static String gpus(Presence<Nvml> nvml, SnapshotDraft facts) {
    return switch (nvml) {
      case Presence.Absent<Nvml>(String reason, _) -> "NVML cannot be used: " + reason;
      case Presence.Present<Nvml>(Nvml library) -> {
        try {
          library.driverVersion().ifPresent(version -> facts.driverVersions.put(version, "NVML"));
          library
              .cudaDriverVersion()
              .ifPresent(version -> facts.cudaVersions.put(version.toString(), "NVML"));
          facts.gpusListed = true;
          for (NvmlDevice device : library.devices()) {
            facts.gpus.add(NvmlProbe.read(device, facts));
          }
        } catch (DuokaException e) {
          facts.notes.add("NVML: " + e.getMessage());
        }
        yield "NVML does not tell";
      }
    };
  }

  private static void kernelLog(SystemFiles files, CommandRunner commands, SnapshotDraft facts) {
    CommandRunner.Result dmesg = commands.run(List.of("dmesg"), KERNEL_LOG_TIMEOUT);
    if (dmesg.succeeded()) {
      KernelLogReader.read(dmesg.output(), facts);
      return;
    }
    for (String log : List.of("var/log/kern.log", "var/log/dmesg")) {
      if (files.text(log).isPresent()) {
        KernelLogReader.read(files.text(log).get(), facts);
        return;
      }
    }
    facts.kernelLogProblem =
        "dmesg and /var/log/kern.log are not readable for this user; run as root or read 'sudo"
            + " dmesg'";
  }
}
