package dev.duoka.machine.probe;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Reads the PCI devices that matter from sysfs below a root. */
final class PciProbe {
  static final String FOLDER = "sys/bus/pci/devices";

  /** The files of a device that are read. */
  static final List<String> FILES =
      List.of(
          "class",
          "vendor",
          "device",
          "numa_node",
          "current_link_speed",
          "current_link_width",
          "max_link_speed",
          "max_link_width",
          "config");

  private static final int ACCESS_CONTROL = 0x000d;
  private static final int FIRST_EXTENDED = 0x100;
  private static final int REQUEST_REDIRECT = 1 << 2;
  private static final int COMPLETION_REDIRECT = 1 << 3;

  private PciProbe() {}

  static void read(SystemFiles files, SnapshotDraft facts) {
    for (String address : files.names(FOLDER)) {
      String at = FOLDER + "/" + address + "/";
      Optional<String> type = files.line(at + "class");
      Optional<String> vendor = files.line(at + "vendor");
      if (type.isEmpty() || vendor.isEmpty()) {
        continue;
      }
      facts.pciListed = true;
      PciDevice.Kind kind = kind(type.get(), vendor.get());
      if (kind == PciDevice.Kind.OTHER) {
        continue;
      }
      facts.pci.add(
          new PciDevice(
              PciDevice.normalise(address),
              kind,
              vendor.get(),
              vendor.get() + ":" + files.line(at + "device").orElse("?"),
              speed(files, at + "current_link_speed"),
              speed(files, at + "max_link_speed"),
              number(files, at + "current_link_width"),
              number(files, at + "max_link_width"),
              number(files, at + "numa_node"),
              kind == PciDevice.Kind.BRIDGE
                  ? accessControl(files.bytes(at + "config"))
                  : Reading.unknown("only bridges redirect")));
    }
  }

  static PciDevice.Kind kind(String type, String vendor) {
    boolean nvidia = vendor.equals("0x10de");
    if (type.startsWith("0x03") && nvidia) {
      return PciDevice.Kind.GPU;
    }
    if (type.startsWith("0x0604")) {
      return PciDevice.Kind.BRIDGE;
    }
    if (type.startsWith("0x0680") && nvidia) {
      return PciDevice.Kind.NVSWITCH;
    }
    return type.startsWith("0x02") ? PciDevice.Kind.NETWORK : PciDevice.Kind.OTHER;
  }

  /**
   * The redirections that are on, from the extended configuration space, which is for root only.
   */
  static Reading<Set<String>> accessControl(Optional<byte[]> config) {
    if (config.isEmpty() || config.get().length <= FIRST_EXTENDED) {
      return Reading.unknown("the extended configuration space is readable for root only");
    }
    ByteBuffer space = ByteBuffer.wrap(config.get()).order(ByteOrder.LITTLE_ENDIAN);
    int at = FIRST_EXTENDED;
    for (int i = 0; i < 64 && at >= FIRST_EXTENDED && at + 8 <= space.capacity(); i++) {
      int header = space.getInt(at);
      if ((header & 0xffff) == ACCESS_CONTROL) {
        int control = space.getShort(at + 6);
        Set<String> on = new LinkedHashSet<>();
        if ((control & REQUEST_REDIRECT) != 0) {
          on.add("ReqRedir");
        }
        if ((control & COMPLETION_REDIRECT) != 0) {
          on.add("CmpltRedir");
        }
        return Reading.of(on);
      }
      at = header >>> 20;
    }
    return Reading.of(Set.of()); // a bridge without access control redirects nothing
  }

  private static Reading<Integer> speed(SystemFiles files, String name) {
    return Reading.of(
        files
            .line(name)
            .flatMap(text -> FieldText.number(text).optional())
            .flatMap(LspciReader::generation),
        "sysfs does not tell");
  }

  private static Reading<Integer> number(SystemFiles files, String name) {
    return files
        .line(name)
        .map(FieldText::small)
        .orElseGet(() -> Reading.unknown("sysfs does not tell"));
  }
}
