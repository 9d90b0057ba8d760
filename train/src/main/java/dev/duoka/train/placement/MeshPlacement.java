package dev.duoka.train.placement;

import dev.duoka.base.Plural;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.machine.topology.Topology;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.MeshExchange;
import dev.duoka.train.config.DeviceChoice;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.SeenGpus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Which rank of a run is on which device, and over what the ranks exchange: what {@code train}
 * would do, told before anything runs. Machines of one run are taken to be alike.
 *
 * @param mesh how the ranks are numbered
 * @param processes that hold the ranks
 * @param seats one for each rank
 * @param groups those that exchange, in the order of their need for fast links
 * @param order how the order of the GPUs came about
 * @param notices which machine was taken, and what is not as one may expect, one sentence each
 * @param refusal why the machine cannot hold the run, with the nearest layout that it can
 * @param topology that the GPUs' numbers are of; empty on the CPU and where it is not known
 */
public record MeshPlacement(
    Mesh mesh,
    int processes,
    List<Seat> seats,
    List<PlacedGroup> groups,
    Order order,
    List<String> notices,
    Optional<FieldProblem> refusal,
    Optional<Topology> topology) {
  /** How ranks came to their devices. */
  public enum Order {
    /** Ranks are threads on the CPU. */
    CPU,
    /** All share the GPU that the run file names. */
    SHARED,
    /** The run file names a GPU for each rank. */
    NAMED,
    /** By the links between the GPUs. */
    LINKS,
    /** The first GPUs, as nothing is known of their links. */
    PLAIN,
    /** On GPUs of some machine: this one has none. */
    ASSUMED,
    /** Nowhere: the machine does not have the GPUs. */
    MISSING
  }

  public MeshPlacement {
    seats = List.copyOf(seats);
    groups = List.copyOf(groups);
    notices = List.copyOf(notices);
  }

  /** As the other method, started as the environment of this process says. */
  public static MeshPlacement of(RunConfig config, MachineView machine) {
    return of(config, ProcessPlace.of(System.getenv()), machine);
  }

  /** Where a run would be on a machine like the given, started as {@code place} says. */
  public static MeshPlacement of(RunConfig config, ProcessPlace place, MachineView machine) {
    return new Builder(config, place, machine).build();
  }

  /** What two ranks exchange through. */
  public Way between(int a, int b) {
    return way(seats.get(a), seats.get(b), order, topology);
  }

  private static Way way(Seat one, Seat other, Order order, Optional<Topology> topology) {
    if (order == Order.CPU) {
      return one.process() == other.process() ? Way.MEMORY : Way.TCP;
    }
    if (one.gpu().isEmpty() || other.gpu().isEmpty()) {
      return Way.UNKNOWN;
    }
    if (one.node() != other.node()) {
      return Way.NETWORK;
    }
    if (one.gpu().getAsInt() == other.gpu().getAsInt()) {
      return Way.ONE_GPU;
    }
    return topology
        .map(it -> Way.between(it, one.index().getAsInt(), other.index().getAsInt()))
        .orElse(Way.UNKNOWN);
  }

  private static final class Builder {
    private final RunConfig config;
    private final Mesh mesh;
    private final MachineView machine;
    private final int processes;
    private final int each;
    private final List<String> notices = new ArrayList<>();
    private @Nullable FieldProblem refusal;

    Builder(RunConfig config, ProcessPlace place, MachineView machine) {
      this.config = config;
      this.mesh = config.parallel().mesh();
      this.machine = machine;
      int world = mesh.size();
      OptionalInt asked = config.launch().ranksPerProcess().count();
      // Alone it may be any of several that are still to be started.
      this.each = place.isAlone() ? asked.orElse(world) : place.ranks(world, asked).count();
      this.processes = world / each;
    }

    MeshPlacement build() {
      DeviceChoice device = config.device();
      if (device.kind() == DeviceChoice.Kind.CPU) {
        return onCpu();
      }
      if (machine.gpus() == 0 && device.kind() == DeviceChoice.Kind.AUTO) {
        if (mesh.size() > 1) {
          notices.add(
              "No GPU is used: "
                  + machine.reason()
                  + "."
                  + (machine.isHere() ? " --topo checks the run against another machine." : ""));
        }
        return onCpu();
      }
      if (machine.gpus() == 0) {
        return withoutGpus(device);
      }
      notices.add(
          "Checked against " + machine.name() + ", with " + Plural.of(machine.gpus(), "GPU") + ".");
      for (int gpu : device.gpus()) {
        if (gpu >= machine.gpus()) {
          return missing(
              "device",
              "device is " + device + ", but " + machine.name() + " has " + had(),
              "Use cuda:0" + (machine.gpus() == 1 ? "" : " to cuda:" + (machine.gpus() - 1)));
        }
      }
      return onGpus(device);
    }

    private MeshPlacement onCpu() {
      return placed(Order.CPU, Optional.empty(), seats(processes == 1 ? 1 : processes, null));
    }

    /** A run for GPUs can be checked where there are none. */
    private MeshPlacement withoutGpus(DeviceChoice device) {
      int wanted = device.gpus().isEmpty() ? mesh.size() : device.gpus().size();
      notices.add(
          "This machine has no usable GPU ("
              + machine.reason()
              + "), so it was checked for one with "
              + Plural.of(wanted, "GPU")
              + ", links unknown. --topo checks another machine's.");
      return placed(Order.ASSUMED, Optional.empty(), seats(processes, null));
    }

    private MeshPlacement onGpus(DeviceChoice device) {
      if (device.index().isPresent()) {
        return placed(
            Order.SHARED,
            Optional.empty(),
            seats(processes, List.of(List.of(device.index().getAsInt()))));
      }
      int onNode = Math.min(processes, machine.gpus() / each);
      if (onNode == 0) {
        return missing(
            "parallel",
            Plural.of(each, "rank")
                + (processes > 1 ? " of a process" : "")
                + " want a GPU each, but "
                + machine.name()
                + " has "
                + had(),
            nearest());
      }
      int ranks = onNode * each;
      int nodes = Math.ceilDiv(processes, onNode);
      if (nodes > 1) {
        notices.add(
            "The machine has GPUs for "
                + Plural.of(ranks, "rank")
                + ": "
                + nodes
                + " machines like it are assumed.");
      }
      if (device.gpus().size() > 1) {
        if (device.gpus().size() < ranks) {
          return missing(
              "device",
              "device " + device + " names fewer GPUs than the " + ranks + " ranks of a machine",
              "Name one for each rank, or set device: cuda to let the links decide");
        }
        return placed(Order.NAMED, topology(), seats(onNode, List.of(device.gpus())));
      }
      List<List<Integer>> orders =
          IntStream.range(0, nodes)
              .mapToObj(
                  node ->
                      machine
                          .linked()
                          .map(
                              gpus ->
                                  gpus.order(
                                      mesh,
                                      node * ranks,
                                      Math.min(ranks, mesh.size() - node * ranks)))
                          .orElseGet(() -> IntStream.range(0, ranks).boxed().toList()))
              .toList();
      Order order = machine.linked().isPresent() ? Order.LINKS : Order.PLAIN;
      return placed(order, topology(), seats(onNode, orders));
    }

    private MeshPlacement missing(String field, String problem, String remedy) {
      refusal = new FieldProblem(field, problem, remedy);
      return placed(Order.MISSING, Optional.empty(), seats(processes, null));
    }

    private String had() {
      return Plural.of(machine.gpus(), "GPU");
    }

    private String nearest() {
      Mesh fitting = mesh.within(machine.gpus());
      return "Nearest that fits: parallel "
          + MeshExchange.text(fitting, mesh)
          + (machine.isHere() ? "; --topo checks the run against another machine" : "");
    }

    private Optional<Topology> topology() {
      return machine.linked().map(SeenGpus::topology);
    }

    /**
     * @param onNode processes of each machine
     * @param gpus of each machine's ranks in order, the last of them for all that follow; null for
     *     none
     */
    private List<Seat> seats(int onNode, @Nullable List<List<Integer>> gpus) {
      List<Seat> seats = new ArrayList<>();
      for (int rank = 0; rank < mesh.size(); rank++) {
        int process = rank / each;
        int node = process / onNode;
        if (gpus == null) {
          seats.add(Seat.without(rank, process, node));
          continue;
        }
        List<Integer> own = gpus.get(Math.min(node, gpus.size() - 1));
        int gpu = own.get(Math.min(rank - node * onNode * each, own.size() - 1));
        OptionalInt index =
            machine.linked().isPresent()
                ? OptionalInt.of(machine.linked().get().indices().get(gpu))
                : OptionalInt.empty();
        seats.add(
            new Seat(
                rank,
                process,
                node,
                OptionalInt.of(gpu),
                index,
                Optional.of(machine.names().get(gpu)).filter(name -> !name.isEmpty()),
                node == 0 && gpu < machine.uuids().size()
                    ? Optional.of(machine.uuids().get(gpu))
                    : Optional.empty()));
      }
      return seats;
    }

    private MeshPlacement placed(Order order, Optional<Topology> topology, List<Seat> seats) {
      List<PlacedGroup> groups = new ArrayList<>();
      for (MeshExchange exchange : MeshExchange.values()) {
        for (List<Integer> ranks : exchange.groups(mesh)) {
          groups.add(
              new PlacedGroup(exchange, ranks, slowest(exchange, ranks, order, topology, seats)));
        }
      }
      return new MeshPlacement(
          mesh, processes, seats, groups, order, notices, Optional.ofNullable(refusal), topology);
    }

    private static Way slowest(
        MeshExchange exchange,
        List<Integer> ranks,
        Order order,
        Optional<Topology> topology,
        List<Seat> seats) {
      Way slowest = Way.MEMORY;
      for (int i = 0; i < ranks.size(); i++) {
        int end = exchange.isChain() ? Math.min(i + 2, ranks.size()) : ranks.size();
        for (int j = i + 1; j < end; j++) {
          Way way = way(seats.get(ranks.get(i)), seats.get(ranks.get(j)), order, topology);
          if (Way.BY_SLOWNESS.compare(way, slowest) > 0) {
            slowest = way;
          }
        }
      }
      return slowest;
    }
  }
}
