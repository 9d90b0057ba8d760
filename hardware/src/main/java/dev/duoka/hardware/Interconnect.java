package dev.duoka.hardware;

import java.util.Locale;

/** How data gets from one card of a group to another, fastest first. */
public enum Interconnect {
  /** Every card reaches every other over NVLink. */
  NVLINK,
  /** A bridge between two cards; groups of more go over the bus. */
  BRIDGE,
  /** Over PCIe, from card to card. */
  PCIE_P2P,
  /** Over PCIe through the host's memory. */
  PCIE_HOST;

  /** For example {@code pcie-host}, as the catalogue says it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
