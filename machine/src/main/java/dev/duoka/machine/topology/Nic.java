package dev.duoka.machine.topology;

import java.util.Collections;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A network card that can reach GPU memory (an RDMA device).
 *
 * @param label its column in the matrix: {@code NIC0}, or the device's own name
 * @param device the device's name, for example {@code mlx5_0}; empty where no legend gives it
 * @param links its connection to each GPU, by GPU index; uncertain ones are left out
 * @param numaNode its NUMA node
 * @param pciBusId its place on the PCI bus
 * @param gigabitsPerSecond the rate of its first port
 */
public record Nic(
    String label,
    Optional<String> device,
    SortedMap<Integer, Link> links,
    OptionalInt numaNode,
    Optional<String> pciBusId,
    OptionalDouble gigabitsPerSecond) {

  /** Copies the links. */
  public Nic {
    links = Collections.unmodifiableSortedMap(new TreeMap<>(links));
  }

  /** The device's name, or the column where that is not known. */
  public String name() {
    return device.orElse(label);
  }

  /** {@code NIC0=mlx5_0}, or the one name that it has. */
  public String text() {
    return device.filter(name -> !name.equals(label)).map(name -> label + "=" + name).orElse(label);
  }
}
