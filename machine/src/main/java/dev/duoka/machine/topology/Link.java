package dev.duoka.machine.topology;

import java.util.Optional;

/**
 * The connection of two devices, as {@code nvidia-smi topo -m} names it.
 *
 * @param kind what it goes through
 * @param nvlinks how many NVLinks are bonded; 0 unless the kind is {@code NVLINK}
 * @param label the cell as the driver prints it: {@code NV12}, {@code PIX}, {@code SOC}
 */
public record Link(LinkKind kind, int nvlinks, String label) {
  /** More NVLinks than any GPU has; a larger number is damage. */
  static final int MOST_NVLINKS = 72;

  /** Checks that the number of NVLinks fits the kind. */
  public Link {
    if ((kind == LinkKind.NVLINK) != (nvlinks > 0)) {
      throw new IllegalArgumentException(kind + " with " + nvlinks + " NVLinks");
    }
  }

  /** A connection over a number of bonded NVLinks. */
  public static Link nvlink(int count) {
    return new Link(LinkKind.NVLINK, count, "NV" + count);
  }

  /** A connection that is not NVLink. */
  public static Link of(LinkKind kind) {
    return new Link(kind, 0, kind.name());
  }

  /** The cell's link; empty where the text is no such cell. Letters must be upper case. */
  public static Optional<Link> parse(String cell) {
    return switch (cell) {
      case "PSB" -> Optional.of(of(LinkKind.PSB));
      case "PIX" -> Optional.of(of(LinkKind.PIX));
      case "PXB" -> Optional.of(of(LinkKind.PXB));
      case "PHB" -> Optional.of(of(LinkKind.PHB));
      case "NODE" -> Optional.of(of(LinkKind.NODE));
      case "SYS" -> Optional.of(of(LinkKind.SYS));
      case "SOC" -> Optional.of(new Link(LinkKind.SYS, 0, "SOC"));
      default -> nvlinkCell(cell);
    };
  }

  private static Optional<Link> nvlinkCell(String cell) {
    if (cell.length() < 3 || cell.length() > 4 || !cell.startsWith("NV") || cell.charAt(2) == '0') {
      return Optional.empty();
    }
    int count = 0;
    for (int i = 2; i < cell.length(); i++) {
      char digit = cell.charAt(i);
      if (digit < '0' || digit > '9') {
        return Optional.empty();
      }
      count = 10 * count + digit - '0';
    }
    return count <= MOST_NVLINKS ? Optional.of(nvlink(count)) : Optional.empty();
  }

  /** Whether this is NVLink. */
  public boolean isNvlink() {
    return kind == LinkKind.NVLINK;
  }

  /** The {@link #label}. */
  @Override
  public String toString() {
    return label;
  }
}
