package dev.duoka.machine.testing;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.FolderProbe;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.probe.Software;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A made-up machine that prints what the tools of a real one would: healthy at first, then with
 * whatever a test breaks. Its folder is read like any capture.
 */
public final class FakeMachine {
  /** A made-up GPU; fields are what nvidia-smi -q prints. */
  public static final class Card {
    public String name = "NVIDIA H100 80GB HBM3";
    public String capability = "9.0";
    public String generation = "5";
    public String generationMax = "5";
    public String generationDeviceMax = "5";
    public String width = "16x";
    public String replays = "0";
    public String persistence = "Enabled";
    public String mig = "Disabled";
    public String computeMode = "Default";
    public String recovery = "None";
    public String fabric = "Completed";
    public String memoryUsed = "4 MiB";
    public String utilization = "0 %";
    public String state = "P0";
    public String idle = "Active";
    public String hardwareSlowdown = "Not Active";
    public String hardwareThermal = "Not Active";
    public String powerBrake = "Not Active";
    public String softwareThermal = "Not Active";
    public String ecc = "Enabled";
    public String volatileUncorrected = "0";
    public String aggregateUncorrected = "0";
    public String sramThreshold = "No";
    public String remapPending = "No";
    public String remapFailed = "No";
    public String retiredSingle = "N/A";
    public String retiredDouble = "N/A";
    public String retiredPending = "N/A";
    public String temperature = "35 C";
    public String powerLimit = "700.00 W";
    public String clock = "345 MHz";
    public String application = "Requested functionality has been deprecated";
    public String applicationDefault = "Requested functionality has been deprecated";
    public int links = 18;
    public int linksDown;
  }

  public String driver = "580.95.05";
  public String cuda = "13.0";
  public String module = "580.95.05";
  public String torch = "2.11.0+cu130";
  public String torchCuda = "13.0";
  public String architectures = "sm_80 sm_86 sm_90 sm_100 sm_120";
  public final List<Card> cards = new ArrayList<>();
  public final List<String> kernelLog = new ArrayList<>();
  public final Map<String, String> environment = new TreeMap<>();
  public final List<Software.Library> libraries = new ArrayList<>();
  public final List<Software.PythonPackage> packages = new ArrayList<>();
  public final Map<String, String> files = new TreeMap<>();
  public int cardsOnBus = -1;
  public String acs = "SrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd-";
  public long shmKib = 500L << 20;
  public String memlock = "unlimited";
  public String openFiles = "1048576";
  public long memoryKib = 2048L << 20;
  public boolean withDriver = true;

  /** A healthy machine. */
  public FakeMachine(int gpus) {
    for (int i = 0; i < gpus; i++) {
      cards.add(new Card());
    }
    library("libcudart", "13.0.96", "PyTorch in /opt/venv");
    library("libcudnn", "9.17.1", "PyTorch in /opt/venv");
    library("libnccl", "2.28.9", "PyTorch in /opt/venv");
    packages.add(installed("torch", "2.11.0", "pip", "/opt/venv/lib/python3.12/site-packages"));
    files.put("root/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro iommu=pt\n");
    files.put("root/sys/devices/system/node/has_cpu", "0-1\n");
    files.put("root/proc/cpuinfo", "processor\t: 0\nmodel name\t: Made-up CPU\n\n".repeat(128));
    files.put("root/proc/self/status", "Name:\tjava\nCpus_allowed_list:\t0-127\n");
    files.put("root/proc/self/cgroup", "0::/user.slice\n");
    files.put("root/sys/fs/cgroup/memory.max", "max\n");
    files.put("root/sys/fs/cgroup/cpu.max", "max 100000\n");
  }

  public static Software.PythonPackage installed(
      String name, String version, String installer, String place) {
    return new Software.PythonPackage(name, version, installer, place);
  }

  public void library(String name, String version, String owner) {
    libraries.add(
        new Software.Library(
            name,
            "/" + owner.replace(' ', '_') + "/" + name + ".so." + version,
            owner,
            Reading.of(version)));
  }

  public String busId(int card) {
    return String.format(Locale.ROOT, "00000000:%02X:00.0", 0x10 + 3 * card);
  }

  /** The capture of this machine, written and read again. */
  public MachineSnapshot snapshot(Path folder) {
    write(folder);
    return FolderProbe.read(folder);
  }

  public void write(Path folder) {
    try {
      if (withDriver) {
        put(folder, "q.txt", query());
        put(folder, "links.txt", links());
        put(folder, "caps.csv", csv());
        put(
            folder,
            "root/proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  "
                + module
                + "  Release Build  (made-up)\n");
      }
      put(folder, "pci.txt", lspci());
      put(
          folder,
          "kernel.txt",
          "[    0.000000] Linux version 6.8.0\n" + String.join("\n", kernelLog) + "\n");
      put(
          folder,
          "limits.txt",
          "open files                          (-n) "
              + openFiles
              + "\nmax locked memory           (kbytes, -l) "
              + memlock
              + "\n");
      put(
          folder,
          "shm.txt",
          "Filesystem     1K-blocks  Used Available Use% Mounted on\ntmpfs          "
              + shmKib
              + "     0 "
              + shmKib
              + "   0% /dev/shm\n");
      put(
          folder,
          "memory.txt",
          "MemTotal:       " + memoryKib + " kB\nMemAvailable:   " + memoryKib + " kB\n");
      StringBuilder variables = new StringBuilder("PATH=/usr/bin\n");
      environment.forEach((name, value) -> variables.append(name + "=" + value + "\n"));
      put(folder, "env.txt", variables.toString());
      put(folder, "software.json", Json.pretty(software()));
      for (Map.Entry<String, String> file : files.entrySet()) {
        put(folder, file.getKey(), file.getValue());
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a capture says of the software, written without the code that reads it. */
  private ObjectNode software() {
    ObjectNode root = Json.object();
    ArrayNode torches = root.putArray("torches");
    if (!torch.isEmpty()) {
      ObjectNode node = torches.addObject();
      node.put("place", "/opt/venv/lib/python3.12/site-packages/torch");
      node.put("installer", "pip");
      node.put("version", torch);
      if (!torchCuda.isEmpty()) {
        node.put("cuda", torchCuda);
      }
      if (!architectures.isEmpty()) {
        node.put("architectures", architectures);
      }
    }
    ArrayNode found = root.putArray("libraries");
    for (Software.Library library : libraries) {
      ObjectNode node = found.addObject();
      node.put("name", library.name());
      node.put("path", library.path());
      node.put("owner", library.owner());
      library.version().optional().ifPresent(version -> node.put("version", version));
    }
    ArrayNode installed = root.putArray("packages");
    for (Software.PythonPackage known : packages) {
      ObjectNode node = installed.addObject();
      node.put("name", known.name());
      node.put("version", known.version());
      node.put("installer", known.installer());
      node.put("place", known.place());
    }
    return root;
  }

  private static void put(Path folder, String name, String text) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  public String query() {
    StringBuilder text = new StringBuilder("\n==============NVSMI LOG==============\n\n");
    line(text, 0, "Timestamp", "Mon Nov 23 12:00:00 2026");
    line(text, 0, "Driver Version", driver);
    line(text, 0, "CUDA Version", cuda);
    text.append('\n');
    line(text, 0, "Attached GPUs", Integer.toString(cards.size()));
    for (int i = 0; i < cards.size(); i++) {
      card(text, i, cards.get(i));
    }
    return text.toString();
  }

  private void card(StringBuilder text, int index, Card card) {
    text.append("GPU ").append(busId(index)).append('\n');
    line(text, 1, "Product Name", card.name);
    line(text, 1, "Persistence Mode", card.persistence);
    section(text, 1, "MIG Mode");
    line(text, 2, "Current", card.mig);
    line(text, 1, "GPU UUID", uuid(index));
    line(text, 1, "GPU Recovery Action", card.recovery);
    section(text, 1, "PCI");
    section(text, 2, "GPU Link Info");
    section(text, 3, "PCIe Generation");
    line(text, 4, "Max", card.generationMax);
    line(text, 4, "Current", card.generation);
    line(text, 4, "Device Max", card.generationDeviceMax);
    section(text, 3, "Link Width");
    line(text, 4, "Max", "16x");
    line(text, 4, "Current", card.width);
    line(text, 2, "Replays Since Reset", card.replays);
    line(text, 1, "Performance State", card.state);
    section(text, 1, "Clocks Event Reasons");
    line(text, 2, "Idle", card.idle);
    line(text, 2, "Applications Clocks Setting", "Not Active");
    line(text, 2, "SW Power Cap", "Not Active");
    line(text, 2, "HW Slowdown", card.hardwareSlowdown);
    line(text, 3, "HW Thermal Slowdown", card.hardwareThermal);
    line(text, 3, "HW Power Brake Slowdown", card.powerBrake);
    line(text, 2, "SW Thermal Slowdown", card.softwareThermal);
    section(text, 1, "FB Memory Usage");
    line(text, 2, "Total", "81559 MiB");
    line(text, 2, "Used", card.memoryUsed);
    line(text, 1, "Compute Mode", card.computeMode);
    section(text, 1, "Utilization");
    line(text, 2, "GPU", card.utilization);
    section(text, 1, "ECC Mode");
    line(text, 2, "Current", card.ecc);
    section(text, 1, "ECC Errors");
    section(text, 2, "Volatile");
    line(text, 3, "SRAM Correctable", "0");
    line(text, 3, "DRAM Uncorrectable", card.volatileUncorrected);
    section(text, 2, "Aggregate");
    line(text, 3, "DRAM Uncorrectable", card.aggregateUncorrected);
    line(text, 3, "SRAM Threshold Exceeded", card.sramThreshold);
    section(text, 1, "Retired Pages");
    line(text, 2, "Single Bit ECC", card.retiredSingle);
    line(text, 2, "Double Bit ECC", card.retiredDouble);
    line(text, 2, "Pending Page Blacklist", card.retiredPending);
    section(text, 1, "Remapped Rows");
    line(text, 2, "Correctable Error", "0");
    line(text, 2, "Uncorrectable Error", "0");
    line(text, 2, "Pending", card.remapPending);
    line(text, 2, "Remapping Failure Occurred", card.remapFailed);
    section(text, 1, "Temperature");
    line(text, 2, "GPU Current Temp", card.temperature);
    section(text, 1, "GPU Power Readings");
    line(text, 2, "Current Power Limit", card.powerLimit);
    line(text, 2, "Default Power Limit", "700.00 W");
    section(text, 1, "Clocks");
    line(text, 2, "SM", card.clock);
    section(text, 1, "Applications Clocks");
    line(text, 2, "Graphics", card.application);
    section(text, 1, "Default Applications Clocks");
    line(text, 2, "Graphics", card.applicationDefault);
    section(text, 1, "Max Clocks");
    line(text, 2, "SM", "1980 MHz");
    section(text, 1, "Fabric");
    line(text, 2, "State", card.fabric);
    line(text, 1, "Processes", "None");
  }

  private String csv() {
    StringBuilder text = new StringBuilder("index, uuid, pci.bus_id, compute_cap\n");
    for (int i = 0; i < cards.size(); i++) {
      text.append(i + ", " + uuid(i) + ", " + busId(i) + ", " + cards.get(i).capability + "\n");
    }
    return text.toString();
  }

  private String links() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < cards.size(); i++) {
      Card card = cards.get(i);
      text.append("GPU " + i + ": " + card.name + " (UUID: " + uuid(i) + ")\n");
      for (int link = 0; link < card.links; link++) {
        text.append(
            "\t Link "
                + link
                + ": "
                + (link < card.linksDown ? "<inactive>" : "26.562 GB/s")
                + "\n");
      }
    }
    return text.toString();
  }

  private String lspci() {
    StringBuilder text =
        new StringBuilder(
            "0000:15:01.0 PCI bridge: Intel Corporation Device 352a (rev 04)\n"
                + "\tNUMA node: 0\n\t\tLnkCap:\tPort #1, Speed 32GT/s, Width x16\n"
                + "\t\tLnkSta:\tSpeed 32GT/s (ok), Width x16 (ok)\n\t\tACSCtl:\t"
                + acs
                + "\n");
    int count = cardsOnBus < 0 ? cards.size() : cardsOnBus;
    for (int i = 0; i < count; i++) {
      text.append(
          busId(i).toLowerCase(Locale.ROOT).substring(4)
              + " 3D controller: NVIDIA Corporation Device 2330 (rev a1)\n\tNUMA node: "
              + (i % 2)
              + "\n");
    }
    return text.toString();
  }

  private static String uuid(int index) {
    return String.format(Locale.ROOT, "GPU-%08x-1111-2222-3333-444455556666", 0xabc + index);
  }

  private static void section(StringBuilder text, int depth, String name) {
    text.append("    ".repeat(depth)).append(name).append('\n');
  }

  private static void line(StringBuilder text, int depth, String name, String value) {
    text.append(String.format(Locale.ROOT, "%-52s : %s%n", "    ".repeat(depth) + name, value));
  }
}
