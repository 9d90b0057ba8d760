package dev.duoka.machine.topology;

/**
 * A PCIe link's speed.
 *
 * @param generation 1 to 6
 * @param width lanes, 1 to 16
 */
public record PcieSpeed(int generation, int width) {
  /** For example {@code PCIe 5 x16}. */
  @Override
  public String toString() {
    return "PCIe " + generation + " x" + width;
  }
}
