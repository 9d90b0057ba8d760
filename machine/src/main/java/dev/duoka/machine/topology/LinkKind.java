package dev.duoka.machine.topology;

/**
 * What a connection goes through, nearest first; the words are those of {@code nvidia-smi topo -m}.
 */
public enum LinkKind {
  /** NVLink, directly or over NVSwitch ({@code NV#}); the matrix does not tell the two apart. */
  NVLINK,
  /** One PCIe switch on the board that both chips are on ({@code PSB}, dual-chip cards). */
  PSB,
  /** At most one PCIe bridge ({@code PIX}). */
  PIX,
  /** Several PCIe bridges, but not the host bridge ({@code PXB}). */
  PXB,
  /** A PCIe host bridge, typically the CPU ({@code PHB}). */
  PHB,
  /** Several PCIe host bridges of one NUMA node ({@code NODE}). */
  NODE,
  /** The interconnect between NUMA nodes ({@code SYS}; {@code SOC} in drivers before 384). */
  SYS;

  /** Whether the two ends are below one PCIe switch or a tree of switches. */
  public boolean behindSwitch() {
    return this == PSB || this == PIX || this == PXB;
  }
}
