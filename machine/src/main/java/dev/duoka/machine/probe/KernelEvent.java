package dev.duoka.machine.probe;

/**
 * A line of the kernel log that speaks of a GPU or of PCIe.
 *
 * @param kind which family
 * @param code the Xid or SXid; 0 for the others
 * @param address the PCI address it names; empty when none
 * @param line the line itself
 */
public record KernelEvent(Kind kind, int code, String address, String line) {
  /** Families of lines. */
  public enum Kind {
    /** An error of the GPU's driver, with a number. */
    XID,
    /** An error of an NVSwitch, with a number. */
    SXID,
    /** An error that the PCIe link corrected. */
    PCIE_CORRECTED,
    /** An error that the PCIe link could not correct. */
    PCIE_UNCORRECTED,
    /** The kernel module and the user library are of different versions. */
    VERSION_MISMATCH
  }
}
