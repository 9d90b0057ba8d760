package dev.duoka.machine.probe;

import dev.duoka.machine.topology.Topology;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What the readers have found so far, before it becomes a snapshot. */
final class SnapshotDraft {
  final GpuDrafts gpus = new GpuDrafts();
  final Map<String, String> driverVersions = new TreeMap<>(); // version to the file that says so
  final Map<String, String> cudaVersions = new TreeMap<>();
  final Map<String, String> kernelModules = new TreeMap<>();
  final List<PciDevice> pci = new ArrayList<>();
  final List<KernelEvent> kernelEvents = new ArrayList<>();
  final Map<String, String> environment = new TreeMap<>();
  final Map<HostField, String> host = new EnumMap<>(HostField.class);
  final List<Software.PythonPackage> packages = new ArrayList<>();
  final List<Software.Torch> torches = new ArrayList<>();
  final List<Software.Library> libraries = new ArrayList<>();
  final List<String> notes = new ArrayList<>();
  boolean gpusListed;
  boolean pciListed;
  boolean kernelLogRead;
  boolean environmentRead;
  boolean packagesListed;
  boolean librariesListed;
  String topologyText = "";
  @Nullable Topology topology;
  String toolkit = "";
  String kernelLogProblem = "";

  void host(HostField field, String text) {
    host.putIfAbsent(field, text);
  }
}
