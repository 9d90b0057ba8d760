package dev.duoka.machine.topology;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * What Linux tells in {@code /sys}: PCI tree, NUMA nodes, RDMA devices. Reads small files only;
 * what is not there is empty.
 */
final class SysTree {
  private static final String NVIDIA = "0x10de";

  private final Path root;

  /**
   * @param root the file system's root, {@code /} but in tests
   */
  SysTree(Path root) {
    this.root = root;
  }

  /** The machine's NUMA nodes in order. */
  List<NumaNode> numaNodes() {
    List<NumaNode> nodes = new ArrayList<>();
    for (Path folder : entries(root.resolve("sys/devices/system/node"))) {
      String name = name(folder);
      if (name.matches("node[0-9]{1,5}")) {
        nodes.add(
            new NumaNode(
                Integer.parseInt(name.substring(4)),
                text(folder.resolve("cpulist")),
                memory(folder.resolve("meminfo"))));
      }
    }
    nodes.sort(Comparator.comparingInt(NumaNode::id));
    return nodes;
  }

  /** RDMA devices in order of their names, numbers as numbers. */
  List<Nic> nics() {
    List<Nic> nics = new ArrayList<>();
    for (Path folder : entries(root.resolve("sys/class/infiniband"))) {
      Optional<String> bus = real(folder.resolve("device")).map(SysTree::name);
      nics.add(
          new Nic(
              name(folder),
              Optional.of(name(folder)),
              new TreeMap<>(),
              bus.map(this::numaNode).orElse(OptionalInt.empty()),
              bus.filter(id -> id.matches("[0-9a-f:.]+")),
              rate(folder)));
    }
    nics.sort(Comparator.comparing(Nic::label, SysTree::compareNames));
    return nics;
  }

  /** The bus ids of NVIDIA's GPUs, driver or not, in PCI order. */
  List<String> nvidiaGpus() {
    List<String> found = new ArrayList<>();
    for (Path folder : entries(root.resolve("sys/bus/pci/devices"))) {
      String type = text(folder.resolve("class")).orElse("");
      boolean display = type.startsWith("0x0300") || type.startsWith("0x0302");
      if (display && text(folder.resolve("vendor")).equals(Optional.of(NVIDIA))) {
        found.add(name(folder));
      }
    }
    found.sort(Comparator.naturalOrder());
    return found;
  }

  /**
   * The NUMA node of a device. Where the firmware does not say ({@code -1}, usual in virtual
   * machines) it is the machine's only node, as {@code nvidia-smi topo -m} has it.
   */
  OptionalInt numaNode(String busId) {
    List<Integer> nodes = nodesNear(busId);
    return nodes.size() == 1 ? OptionalInt.of(nodes.getFirst()) : OptionalInt.empty();
  }

  /** The NUMA nodes near a device as a list, {@code 0-1} where the firmware does not say which. */
  Optional<String> numaAffinity(String busId) {
    List<Integer> nodes = nodesNear(busId);
    return nodes.isEmpty() ? Optional.empty() : Optional.of(ranges(nodes));
  }

  /** Ascending numbers as Linux lists them: {@code 0-1,8}. */
  private static String ranges(List<Integer> numbers) {
    StringBuilder list = new StringBuilder();
    for (int i = 0; i < numbers.size(); i++) {
      int first = numbers.get(i);
      while (i + 1 < numbers.size() && numbers.get(i + 1) == numbers.get(i) + 1) {
        i++;
      }
      list.append(list.isEmpty() ? "" : ",").append(first);
      list.append(numbers.get(i) == first ? "" : "-" + numbers.get(i));
    }
    return list.toString();
  }

  private List<Integer> nodesNear(String busId) {
    Optional<String> node = device(busId).flatMap(folder -> text(folder.resolve("numa_node")));
    if (node.isEmpty()) {
      return List.of();
    }
    if (node.get().matches("[0-9]{1,6}")) {
      return List.of(Integer.parseInt(node.get()));
    }
    return numaNodes().stream()
        .filter(known -> !known.cpus().orElse("").isEmpty())
        .map(NumaNode::id)
        .toList();
  }

  Optional<String> localCpus(String busId) {
    return device(busId).flatMap(folder -> text(folder.resolve("local_cpulist")));
  }

  /** How two PCI devices reach each other; empty where the tree does not show them. */
  Optional<Link> path(String a, String b) {
    Optional<List<String>> wayA = way(a);
    Optional<List<String>> wayB = way(b);
    if (wayA.isEmpty() || wayB.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(Link.of(kind(wayA.get(), wayB.get(), sameNode(a, b))));
  }

  private static LinkKind kind(List<String> a, List<String> b, boolean sameNode) {
    int common = 0;
    while (common < Math.min(a.size(), b.size()) && a.get(common).equals(b.get(common))) {
      common++;
    }
    if (common == 0) {
      return sameNode ? LinkKind.NODE : LinkKind.SYS;
    }
    if (common == 1) {
      return LinkKind.PHB;
    }
    // below a common bridge: one switch has an upstream port (common), a downstream port, the card
    return a.size() - common <= 2 && b.size() - common <= 2 ? LinkKind.PIX : LinkKind.PXB;
  }

  private boolean sameNode(String a, String b) {
    OptionalInt nodeA = numaNode(a);
    OptionalInt nodeB = numaNode(b);
    if (nodeA.isPresent() && nodeB.isPresent()) {
      return nodeA.equals(nodeB);
    }
    return numaNodes().stream().filter(node -> !node.cpus().orElse("").isEmpty()).count() <= 1;
  }

  /** Host bridge, bridges, device: the folders from {@code /sys/devices} down. */
  private Optional<List<String>> way(String busId) {
    return device(busId)
        .map(
            folder -> {
              List<String> names = new ArrayList<>();
              for (Path part : folder) {
                String name = part.toString();
                if (name.matches("pci[0-9a-f]{4,8}:[0-9a-f]{2}")) {
                  names.clear(); // a domain behind another device begins anew
                  names.add(name);
                } else if (!names.isEmpty()) {
                  names.add(name);
                }
              }
              return names;
            })
        .filter(names -> !names.isEmpty());
  }

  private Optional<Path> device(String busId) {
    return real(root.resolve("sys/bus/pci/devices").resolve(busId));
  }

  private static OptionalDouble rate(Path device) {
    for (Path port : entries(device.resolve("ports"))) {
      Optional<String> rate = text(port.resolve("rate")); // "400 Gb/sec (4X NDR)"
      if (rate.isPresent() && rate.get().matches("[0-9]{1,5}(\\.[0-9])? Gb/sec.*")) {
        return OptionalDouble.of(
            Double.parseDouble(rate.get().substring(0, rate.get().indexOf(' '))));
      }
    }
    return OptionalDouble.empty();
  }

  private static Optional<Long> memory(Path file) {
    return text(file)
        .flatMap(
            text ->
                text.lines()
                    .filter(line -> line.contains("MemTotal:"))
                    .map(line -> line.replaceAll(".*MemTotal:\\s*([0-9]{1,15}) kB.*", "$1"))
                    .filter(number -> number.matches("[0-9]{1,15}"))
                    .map(number -> Long.parseLong(number) << 10)
                    .findFirst());
  }

  private static Optional<String> text(Path file) {
    try {
      return Optional.of(Files.readString(file).strip());
    } catch (IOException e) {
      return Optional.empty(); // not offered here, or not to this user
    }
  }

  private static Optional<Path> real(Path link) {
    try {
      return Optional.of(link.toRealPath());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private static List<Path> entries(Path folder) {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      stream.forEach(entries::add);
    } catch (IOException | DirectoryIteratorException e) {
      return List.of(); // no such thing on this machine
    }
    entries.sort(Comparator.naturalOrder());
    return entries;
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  private static int compareNames(String a, String b) {
    String stemA = a.replaceAll("[0-9]+$", "");
    String stemB = b.replaceAll("[0-9]+$", "");
    if (!stemA.equals(stemB) || a.length() == b.length()) {
      return a.compareTo(b);
    }
    return Integer.compare(a.length(), b.length());
  }

  /** NVML's {@code 00000000:1B:00.0} as {@code /sys} has it. */
  static String busId(String nvml) {
    String lower = nvml.toLowerCase(Locale.ROOT);
    return lower.matches("0000[0-9a-f]{4}:.*") ? lower.substring(4) : lower;
  }
}
