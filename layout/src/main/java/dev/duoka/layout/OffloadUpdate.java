package dev.duoka.layout;

import java.util.Locale;

/** Where states that live in host memory are updated. */
public enum OffloadUpdate {
  /**
   * On the device, which they pass through piece by piece: gradients stay there, and the update has
   * the bits of one without offload.
   */
  DEVICE,
  /** By the host's processors, to whom the gradients go. */
  HOST;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
