package dev.duoka.ffi.nvml;

/**
 * A device's PCIe link.
 *
 * @param generation the generation that it runs at now
 * @param width the lanes in use now
 * @param maxGeneration the generation that device and slot allow
 * @param maxWidth the lanes that device and slot allow
 */
public record PcieLink(int generation, int width, int maxGeneration, int maxWidth) {
  /** Whether it has fewer lanes than it could: a badly seated card or a shared slot. */
  public boolean narrowed() {
    return width < maxWidth;
  }
}
