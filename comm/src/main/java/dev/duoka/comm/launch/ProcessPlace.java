package dev.duoka.comm.launch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import dev.duoka.base.SlurmHosts;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Which of a run's processes this is, and where it finds the others, as whoever started it says in
 * the environment: by duoka's own variables, torchrun's or Slurm's.
 *
 * @param launcher whose variables say it
 * @param process this process's number, from 0
 * @param processes how many the run has
 * @param localProcess its number among those of its machine, where the launcher says it
 * @param rendezvous where process 0 takes the others; empty for a process that is alone
 */
public record ProcessPlace(
    Launcher launcher,
    int process,
    int processes,
    OptionalInt localProcess,
    Optional<InetSocketAddress> rendezvous) {
  /** A run of one process. */
  public static final ProcessPlace ALONE =
      new ProcessPlace(Launcher.NONE, 0, 1, OptionalInt.empty(), Optional.empty());

  private static final int LARGEST_PORT = 65535;

  /** Whose variables a place is read from; the first that is there counts. */
  public enum Launcher {
    /** {@code DUOKA_RANK}, {@code DUOKA_WORLD_SIZE}, {@code DUOKA_RENDEZVOUS}. */
    DUOKA,
    /** {@code RANK}, {@code WORLD_SIZE}, {@code MASTER_ADDR}, {@code MASTER_PORT} ... */
    TORCHRUN,
    /** {@code SLURM_PROCID}, {@code SLURM_NTASKS}, {@code SLURM_JOB_NODELIST} ... of a step. */
    SLURM,
    /** Nobody's. */
    NONE
  }

  /**
   * Reads a process's place.
   *
   * @param environment the variables
   * @throws DuokaException {@code CONFIG} when variables are missing, are no numbers, or contradict
   *     each other
   */
  public static ProcessPlace of(Map<String, String> environment) {
    Variables variables = new Variables(environment);
    Optional<ProcessPlace> own = ofDuoka(variables);
    Optional<ProcessPlace> torchrun = ofTorchrun(variables);
    if (own.isPresent() && torchrun.isPresent()) {
      requireSame(own.get(), torchrun.get());
    }
    return own.or(() -> torchrun).or(() -> ofSlurm(variables)).orElse(ALONE);
  }

  /** Whether the run has no other process. */
  public boolean isAlone() {
    return processes == 1;
  }

  /**
   * The ranks that this process holds.
   *
   * @param world how many the run has
   * @param perProcess how many each process holds; empty for an equal share
   * @throws DuokaException {@code CONFIG} when that does not come out even
   */
  public RankRange ranks(int world, OptionalInt perProcess) {
    int share = perProcess.orElse(Math.max(1, world / processes));
    if (share * processes != world) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the run has "
              + Plural.of(world, "rank")
              + ", but is started as "
              + Plural.of(processes, "process", "processes")
              + " of "
              + Plural.of(share, "rank")
              + (processes == 1 ? "" : " each"),
          remedy(world, share, perProcess.isPresent()));
    }
    return new RankRange(process * share, share, world);
  }

  private String remedy(int world, int share, boolean chosen) {
    List<String> ways = new ArrayList<>();
    if (chosen && world % share == 0) {
      ways.add("start " + Plural.of(world / share, "process", "processes"));
    }
    if (chosen && world % processes == 0) {
      ways.add("set launch.ranks_per_process to " + world / processes);
    }
    if (!chosen) {
      ways.add("start a number of processes that divides " + world);
    }
    ways.add("change parallel so that the product of its axes is " + share * processes);
    String text = String.join(", or ", ways);
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }

  private static Optional<ProcessPlace> ofDuoka(Variables variables) {
    if (!variables.has("DUOKA_RANK")
        && !variables.has("DUOKA_WORLD_SIZE")
        && !variables.has("DUOKA_RENDEZVOUS")) {
      return Optional.empty();
    }
    int processes = variables.count("DUOKA_WORLD_SIZE");
    int process = variables.number("DUOKA_RANK", "DUOKA_WORLD_SIZE", processes);
    return Optional.of(
        new ProcessPlace(
            Launcher.DUOKA,
            process,
            processes,
            OptionalInt.empty(),
            processes == 1
                ? Optional.empty()
                : Optional.of(hostAndPort(variables.text("DUOKA_RENDEZVOUS")))));
  }

  private static InetSocketAddress hostAndPort(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "DUOKA_RENDEZVOUS is '" + text + "', which is not HOST:PORT",
          "Name the host of process 0 and a free port, for example node0:29500");
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) { // IPv6
      host = host.substring(1, host.length() - 1);
    }
    return InetSocketAddress.createUnresolved(
        host, Variables.port("DUOKA_RENDEZVOUS", text.substring(colon + 1)));
  }

  private static Optional<ProcessPlace> ofTorchrun(Variables variables) {
    boolean isThere = variables.has("RANK") && variables.has("WORLD_SIZE");
    boolean isMeant = variables.has("MASTER_ADDR") || variables.has("MASTER_PORT");
    if (!isThere && !(isMeant && (variables.has("RANK") || variables.has("WORLD_SIZE")))) {
      return Optional.empty(); // names that other programs use too
    }
    int processes = variables.count("WORLD_SIZE");
    int process = variables.number("RANK", "WORLD_SIZE", processes);
    OptionalInt local = OptionalInt.empty();
    if (variables.has("LOCAL_RANK")) {
      int size =
          variables.has("LOCAL_WORLD_SIZE") ? variables.count("LOCAL_WORLD_SIZE") : processes;
      if (size > processes) {
        throw contradiction("LOCAL_WORLD_SIZE is " + size + ", but WORLD_SIZE " + processes);
      }
      local = OptionalInt.of(variables.number("LOCAL_RANK", "LOCAL_WORLD_SIZE", size));
    }
    return Optional.of(
        new ProcessPlace(
            Launcher.TORCHRUN,
            process,
            processes,
            local,
            processes == 1
                ? Optional.empty()
                : Optional.of(
                    InetSocketAddress.createUnresolved(
                        variables.text("MASTER_ADDR"), torchrunPort(variables)))));
  }

  /** At the port itself torchrun's agent listens, if it says so; then the next one is ours. */
  private static int torchrunPort(Variables variables) {
    int port = Variables.port("MASTER_PORT", variables.text("MASTER_PORT"));
    if (!variables.is("TORCHELASTIC_USE_AGENT_STORE", "True")) {
      return port;
    }
    return port < LARGEST_PORT ? port + 1 : port - 1;
  }

  /**
   * Only within a step: in the script of a job the same variables are set, but nobody else is
   * started.
   */
  private static Optional<ProcessPlace> ofSlurm(Variables variables) {
    if (!variables.has("SLURM_STEP_ID") || !variables.has("SLURM_PROCID")) {
      return Optional.empty();
    }
    int processes = variables.count("SLURM_NTASKS");
    int process = variables.number("SLURM_PROCID", "SLURM_NTASKS", processes);
    OptionalInt local =
        variables.has("SLURM_LOCALID")
            ? OptionalInt.of(variables.number("SLURM_LOCALID", "SLURM_NTASKS", processes))
            : OptionalInt.empty();
    return Optional.of(
        new ProcessPlace(
            Launcher.SLURM,
            process,
            processes,
            local,
            processes == 1 ? Optional.empty() : Optional.of(slurmAddress(variables))));
  }

  private static InetSocketAddress slurmAddress(Variables variables) {
    // A step may run on some of the job's hosts only.
    String name =
        variables.has("SLURM_STEP_NODELIST") ? "SLURM_STEP_NODELIST" : "SLURM_JOB_NODELIST";
    String host = SlurmHosts.first(variables.text(name));
    if (host.isEmpty()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          name + " is '" + variables.text(name) + "', which names no host",
          "Start the run with srun");
    }
    long job = variables.number("SLURM_JOB_ID", Long.MAX_VALUE);
    return InetSocketAddress.createUnresolved(host, SlurmHosts.port(job));
  }

  private static void requireSame(ProcessPlace own, ProcessPlace torchrun) {
    if (own.process() != torchrun.process() || own.processes() != torchrun.processes()) {
      throw contradiction(
          "DUOKA_RANK and DUOKA_WORLD_SIZE are "
              + own.process()
              + " and "
              + own.processes()
              + ", but RANK and WORLD_SIZE "
              + torchrun.process()
              + " and "
              + torchrun.processes());
    }
  }

  private static DuokaException contradiction(String problem) {
    return new DuokaException(
        ErrorCode.CONFIG, problem, "Take away the variables that are not meant");
  }

  /** An environment, and what is to be said when it does not hold what it should. */
  private record Variables(Map<String, String> all) {
    boolean has(String name) {
      return !all.getOrDefault(name, "").isBlank();
    }

    boolean is(String name, String value) {
      return value.equals(all.get(name));
    }

    String text(String name) {
      @Nullable String value = all.get(name);
      if (value == null || value.isBlank()) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            "the environment says that this is one of several processes, but "
                + name
                + " is not set",
            "Set it, or start the run as one process without these variables");
      }
      return value.strip();
    }

    long number(String name, long largest) {
      String text = text(name);
      try {
        long value = Long.parseLong(text);
        if (value >= 0 && value <= largest) {
          return value;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new DuokaException(
          ErrorCode.CONFIG, name + " is '" + text + "', which is no such number", "Correct it");
    }

    /** How many there are. */
    int count(String name) {
      int count = (int) number(name, 1 << 20);
      if (count == 0) {
        throw new DuokaException(ErrorCode.CONFIG, name + " is 0", "Set it to 1 or more");
      }
      return count;
    }

    /** Which of {@code size} it is. */
    int number(String name, String sizeName, int size) {
      long number = number(name, Integer.MAX_VALUE);
      if (number >= size) {
        throw contradiction(name + " is " + number + ", but " + sizeName + " " + size);
      }
      return (int) number;
    }

    static int port(String name, String text) {
      try {
        int port = Integer.parseInt(text.strip());
        if (port > 0 && port <= LARGEST_PORT) {
          return port;
        }
      } catch (NumberFormatException e) {
        // Said below.
      }
      throw new DuokaException(
          ErrorCode.CONFIG,
          name + " has '" + text + "' for a port",
          "A port is a number from 1 to " + LARGEST_PORT);
    }
  }
}
