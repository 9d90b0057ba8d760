package dev.duoka.machine.probe;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the readers of captured files have found, before it becomes a snapshot. */
final class Facts {
  final Drafts gpus = new Drafts();
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
  String topology = "";
  String toolkit = "";
  String kernelLogProblem = "";

  void host(HostField field, String text) {
    host.putIfAbsent(field, text);
  }
}
