package dev.duoka.train.placement;

import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.topology.Gpu;
import dev.duoka.machine.topology.Topology;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.device.SeenGpus;
import java.util.List;
import java.util.Optional;

/**
 * The GPUs of the machine that a run is to be placed on.
 *
 * @param name of the machine, such as "this machine"
 * @param isHere whether it is the one that this process runs on
 * @param names one for each GPU, in CUDA's order; empty where it is not known
 * @param uuids their identities as nvidia-smi prints them, in CUDA's order; none where the machine
 *     is another one
 * @param linked their topology; empty where it does not know all of them
 * @param reason why there are none; empty where there are
 */
public record MachineView(
    String name,
    boolean isHere,
    List<String> names,
    List<String> uuids,
    Optional<SeenGpus> linked,
    String reason) {
  private static final String HERE = "this machine";

  public MachineView {
    names = List.copyOf(names);
    uuids = List.copyOf(uuids);
  }

  /** The machine that this process runs on, as this process sees it. */
  public static MachineView live() {
    Gpus.Answer gpus = Gpus.find();
    return gpus.usable()
        ? new MachineView(
            HERE,
            true,
            gpus.names(),
            Gpus.uuids(),
            SeenGpus.of(Gpus.pciBusIds(), LiveProbe.topology()),
            "")
        : without(gpus.reason());
  }

  /**
   * A machine whose topology was read, with its own numbers of GPUs for CUDA's.
   *
   * @param source where it was read
   */
  public static MachineView of(Topology topology, String source) {
    List<String> names =
        topology.gpus().stream().map(Gpu::name).map(name -> name.orElse("")).toList();
    return new MachineView(
        "the machine of " + source,
        false,
        names,
        List.of(),
        Optional.of(SeenGpus.all(topology)),
        names.isEmpty() ? "its topology has none" : "");
  }

  static MachineView without(String reason) {
    return new MachineView(HERE, true, List.of(), List.of(), Optional.empty(), reason);
  }

  /** How many GPUs it has. */
  public int gpus() {
    return names.size();
  }
}
