package dev.duoka.machine.probe;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads {@code lspci}, with {@code -nn} or {@code -vv} or without, and the tree of {@code -tv}. */
final class LspciReader {
  static final Pattern DEVICE =
      Pattern.compile(
          "((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]) "
              + "(\\S[^:\\[]*?)(?: \\[([0-9a-f]{4})\\])?: (.*)");
  static final Pattern TREE = Pattern.compile("[\\s|]*[-+\\\\]-.*");
  private static final Pattern SPEED = Pattern.compile("Speed ([\\d.]+)GT/s");
  private static final Pattern WIDTH = Pattern.compile("Width x(\\d+)");
  private static final Pattern TREE_LEAF =
      Pattern.compile("-([0-9a-f]{2}\\.[0-7])\\s{2}(\\S.*)", Pattern.CASE_INSENSITIVE);
  private static final Pattern TREE_BUS = Pattern.compile("\\[([0-9a-f]{2})(?:-[0-9a-f]{2})?\\]");

  /** Controls that send traffic between two devices up through the root complex. */
  private static final List<String> REDIRECTING = List.of("ReqRedir", "CmpltRedir");

  private LspciReader() {}

  static void read(String text, SnapshotDraft facts) {
    Optional<Block> block = Optional.empty();
    for (String line : text.lines().toList()) {
      Matcher device = DEVICE.matcher(line.stripTrailing());
      if (device.matches()) {
        block.ifPresent(known -> known.end(facts));
        block = Optional.of(new Block(device));
      } else if (block.isPresent()) {
        block.get().detail(line.strip());
      }
    }
    block.ifPresent(known -> known.end(facts));
    facts.pciListed |= block.isPresent();
  }

  static void readTree(String text, SnapshotDraft facts) {
    String bus = "";
    String domain = "0000";
    for (String line : text.lines().toList()) {
      Matcher root = Pattern.compile("\\[([0-9a-f]{4}):([0-9a-f]{2})\\]").matcher(line);
      if (root.find()) {
        domain = root.group(1);
        bus = root.group(2);
      }
      Matcher leaf = TREE_LEAF.matcher(line);
      if (!leaf.find()) {
        continue;
      }
      Matcher inner = TREE_BUS.matcher(line.substring(0, leaf.start()));
      while (inner.find()) {
        bus = inner.group(1);
      }
      String name = leaf.group(2).strip();
      PciDevice.Kind kind = kindOfName(name);
      if (kind != PciDevice.Kind.OTHER) {
        facts.pci.add(device(domain + ":" + bus + ":" + leaf.group(1), kind, vendor(name), name));
      }
      facts.pciListed = true;
    }
  }

  /** In a tree a device has no class: its name has to tell. */
  private static PciDevice.Kind kindOfName(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.startsWith("nvidia")) {
      boolean companion = lower.matches(".*(audio|usb|ucsi|type-c|serial bus).*");
      return companion
          ? PciDevice.Kind.OTHER
          : lower.contains("nvswitch") ? PciDevice.Kind.NVSWITCH : PciDevice.Kind.GPU;
    }
    return lower.contains("mellanox") || lower.contains("connectx")
        ? PciDevice.Kind.NETWORK
        : PciDevice.Kind.OTHER;
  }

  private static String vendor(String name) {
    int end = name.indexOf(' ');
    return end < 0 ? name : name.substring(0, end);
  }

  private static PciDevice device(String address, PciDevice.Kind kind, String vendor, String name) {
    String why = "this listing does not tell";
    return new PciDevice(
        PciDevice.normalise(address),
        kind,
        vendor,
        name,
        Reading.unknown(why),
        Reading.unknown(why),
        Reading.unknown(why),
        Reading.unknown(why),
        Reading.unknown(why),
        Reading.unknown(why));
  }

  /** What a device's class says that it is. */
  static PciDevice.Kind kind(String classText, String name) {
    String type = classText.toLowerCase(Locale.ROOT);
    boolean nvidia = name.toLowerCase(Locale.ROOT).contains("nvidia");
    if (nvidia && (type.contains("vga") || type.contains("3d") || type.contains("display"))) {
      return PciDevice.Kind.GPU;
    }
    if (type.contains("pci bridge")) {
      return PciDevice.Kind.BRIDGE;
    }
    if (nvidia && type.startsWith("bridge")) {
      return PciDevice.Kind.NVSWITCH;
    }
    return type.contains("ethernet") || type.contains("infiniband") || type.contains("network")
        ? PciDevice.Kind.NETWORK
        : PciDevice.Kind.OTHER;
  }

  /** The generation of a link by its speed in GT/s. */
  static Optional<Integer> generation(double gigatransfers) {
    if (gigatransfers <= 0) {
      return Optional.empty();
    }
    return Optional.of(
        gigatransfers < 4
            ? 1
            : gigatransfers < 7
                ? 2
                : gigatransfers < 12 ? 3 : gigatransfers < 24 ? 4 : gigatransfers < 48 ? 5 : 6);
  }

  /** One device of a listing. */
  private static final class Block {
    private final String address;
    private final String type;
    private final String name;
    private String capability = "";
    private String status = "";
    private Reading<Integer> numa = Reading.unknown("this listing does not tell");
    private Reading<Set<String>> acs =
        Reading.unknown("no ACSCtl line: lspci -vvv must be run as root");
    private boolean detailed;

    Block(Matcher device) {
      address = PciDevice.normalise(device.group(1));
      type = device.group(2);
      name = device.group(4);
    }

    void detail(String line) {
      detailed = true;
      if (line.startsWith("LnkCap:")) {
        capability = line;
      } else if (line.startsWith("LnkSta:")) {
        status = line;
      } else if (line.startsWith("NUMA node:")) {
        numa = FieldText.small(line.substring("NUMA node:".length()));
      } else if (line.startsWith("ACSCtl:")) {
        Set<String> on = new LinkedHashSet<>();
        REDIRECTING.stream().filter(name -> line.contains(name + "+")).forEach(on::add);
        acs = Reading.of(on);
      } else if (line.contains("<access denied>")) {
        acs = Reading.unknown("access denied: lspci -vvv must be run as root");
      }
    }

    void end(SnapshotDraft facts) {
      PciDevice.Kind kind = kind(type, name);
      if (kind == PciDevice.Kind.OTHER) {
        return;
      }
      facts.pci.add(
          new PciDevice(
              address,
              kind,
              vendor(name),
              name,
              speed(status),
              speed(capability),
              width(status),
              width(capability),
              numa,
              detailed ? acs : Reading.unknown("lspci was run without -vvv")));
    }

    private static Reading<Integer> speed(String line) {
      Matcher matcher = SPEED.matcher(line);
      return Reading.of(
          matcher.find()
              ? FieldText.number(matcher.group(1)).optional().flatMap(LspciReader::generation)
              : Optional.empty(),
          "no link line");
    }

    private static Reading<Integer> width(String line) {
      Matcher matcher = WIDTH.matcher(line);
      return matcher.find() ? FieldText.small(matcher.group(1)) : Reading.unknown("no link line");
    }
  }
}
