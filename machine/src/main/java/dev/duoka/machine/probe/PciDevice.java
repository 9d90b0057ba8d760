package dev.duoka.machine.probe;

import java.util.Locale;
import java.util.Set;

/**
 * One device on the PCI bus.
 *
 * @param address for example {@code 0000:3b:00.0}
 * @param kind what it is
 * @param vendor the vendor's number or name, as the source has it
 * @param name the rest of what the source says of it
 * @param generation of the link now, 1 to 6
 * @param generationMax of the link at most
 * @param width lanes now
 * @param widthMax lanes at most
 * @param numaNode the NUMA node it hangs on; −1 where the firmware does not say
 * @param acs the access controls that are on and send peer traffic through the root, for example
 *     {@code ReqRedir}; empty when none are
 */
public record PciDevice(
    String address,
    Kind kind,
    String vendor,
    String name,
    Reading<Integer> generation,
    Reading<Integer> generationMax,
    Reading<Integer> width,
    Reading<Integer> widthMax,
    Reading<Integer> numaNode,
    Reading<Set<String>> acs) {

  /** What a device is. */
  public enum Kind {
    /** A GPU of NVIDIA's. */
    GPU,
    /** An NVSwitch. */
    NVSWITCH,
    /** A bridge: a root port or a port of a switch. */
    BRIDGE,
    /** A network or InfiniBand adapter. */
    NETWORK,
    /** Anything else. */
    OTHER
  }

  /** Keeps a copy of the set. */
  public PciDevice {
    acs = acs.map(Set::copyOf);
  }

  /**
   * The address in one form, so that sources can be compared: {@code 00000000:3B:00.0} and {@code
   * 3b:00.0} are both {@code 0000:3b:00.0}.
   */
  public static String normalise(String address) {
    String lower = address.strip().toLowerCase(Locale.ROOT);
    int colons = (int) lower.chars().filter(c -> c == ':').count();
    if (colons == 1) {
      lower = "0000:" + lower;
    }
    int first = lower.indexOf(':');
    String domain =
        first > 4 ? lower.substring(first - 4, first) : lower.substring(0, first < 0 ? 0 : first);
    String rest = first < 0 ? lower : lower.substring(first);
    return (domain.isEmpty() ? "0000" : domain) + (rest.contains(".") ? rest : rest + ".0");
  }
}
