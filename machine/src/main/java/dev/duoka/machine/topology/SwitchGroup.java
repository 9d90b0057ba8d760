package dev.duoka.machine.topology;

import java.util.List;

/**
 * GPUs and network cards behind one PCIe switch, or behind a tree of switches.
 *
 * @param tree whether several switches lie between its members ({@code PXB}), not one ({@code PIX})
 * @param gpus indices in order
 * @param nics labels of network cards in order
 */
public record SwitchGroup(boolean tree, List<Integer> gpus, List<String> nics) {
  /** Copies the lists. */
  public SwitchGroup {
    gpus = List.copyOf(gpus);
    nics = List.copyOf(nics);
  }
}
