package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Plural;
import dev.duoka.base.SlurmHosts;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where this machine is among those of a run, as flags or whoever started it says.
 *
 * @param nodes how many machines the run has
 * @param node this one's number, from 0
 * @param rendezvous {@code HOST:PORT} of process 0; empty on one machine, where a port is chosen
 * @param rule what said so, for people
 */
public record NodePlace(int nodes, int node, String rendezvous, String rule) {
  private static final String DEFAULT_PORT = "29500";
  private static final String SLURM_NODES = "SLURM_STEP_NUM_NODES";
  private static final String SLURM_TASKS = "SLURM_STEP_NUM_TASKS";

  /** A run of this machine alone. */
  public static final NodePlace ALONE = new NodePlace(1, 0, "", "");

  /**
   * Finds the place: flags go before {@code PET_NNODES} and its fellows, which torchrun and
   * Kubeflow read too, these before a step of Slurm's with one task on each machine, and that
   * before the job that {@code RANK} and {@code WORLD_SIZE} without {@code LOCAL_RANK} count the
   * machines of.
   *
   * @param nodes {@code --nodes}
   * @param node {@code --node-rank}
   * @param rendezvous {@code --rendezvous}
   * @throws DuokaException {@code CONFIG} when something is missing or contradicts itself
   */
  public static NodePlace of(
      OptionalInt nodes,
      OptionalInt node,
      Optional<String> rendezvous,
      Map<String, String> environment) {
    if (nodes.isPresent() || node.isPresent() || rendezvous.isPresent()) {
      return checked(
          nodes.orElse(1),
          node.orElse(0),
          rendezvous.orElse(""),
          "--nodes, --node-rank, --rendezvous",
          nodes.orElse(1) > 1 && node.isEmpty());
    }
    if (has(environment, "PET_NNODES")) {
      return of(environment, "PET_NNODES", "PET_NODE_RANK", "PET_MASTER_");
    }
    if (has(environment, "SLURM_STEP_ID")
        && has(environment, SLURM_NODES)
        && number(environment, SLURM_NODES) > 1) {
      return ofSlurm(environment);
    }
    if (has(environment, "WORLD_SIZE")
        && has(environment, "RANK")
        && has(environment, "MASTER_ADDR")
        && !has(environment, "LOCAL_RANK")) {
      return of(environment, "WORLD_SIZE", "RANK", "MASTER_");
    }
    return ALONE;
  }

  /**
   * How many workers each node has.
   *
   * @param ranks of the run
   * @param perWorker ranks that each worker holds; empty for all of its node's
   * @throws DuokaException {@code CONFIG} when that does not come out even
   */
  public int workers(int ranks, OptionalInt perWorker) {
    int share = perWorker.orElse(Math.max(1, ranks / nodes));
    if (ranks % (share * nodes) != 0) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the run has "
              + Plural.of(ranks, "rank")
              + ", which "
              + Plural.of(nodes, "node")
              + " of workers with "
              + share
              + " cannot share out evenly",
          "Change parallel so that the product of its axes is a multiple of " + share * nodes);
    }
    return ranks / (share * nodes);
  }

  /** Several tasks on a machine are workers already: they need no place of a machine. */
  private static NodePlace ofSlurm(Map<String, String> environment) {
    int nodes = number(environment, SLURM_NODES);
    if (number(environment, SLURM_TASKS) != nodes) {
      return ALONE;
    }
    String host = SlurmHosts.first(environment.getOrDefault("SLURM_STEP_NODELIST", ""));
    return checked(
        nodes,
        number(environment, "SLURM_PROCID"),
        host.isEmpty() ? "" : host + ":" + SlurmHosts.port(number(environment, "SLURM_JOB_ID")),
        SLURM_NODES + ", SLURM_PROCID",
        false);
  }

  /**
   * Refuses a supervisor for each of several tasks that Slurm has started on one machine.
   *
   * @throws DuokaException {@code CONFIG} when that is so
   */
  public static void requireOneOnEachMachine(Map<String, String> environment) {
    if (has(environment, "SLURM_STEP_ID")
        && has(environment, SLURM_NODES)
        && number(environment, SLURM_TASKS) != number(environment, SLURM_NODES)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "srun has started "
              + number(environment, SLURM_TASKS)
              + " tasks on "
              + Plural.of(number(environment, SLURM_NODES), "node")
              + ", and --supervise wants one on each: it starts the others itself",
          "Use srun --ntasks-per-node=1, or leave --supervise out");
    }
  }

  private static NodePlace of(
      Map<String, String> environment, String nodesName, String nodeName, String master) {
    int nodes = number(environment, nodesName);
    String rule = nodesName + ", " + nodeName;
    if (nodes == 1) {
      return new NodePlace(1, 0, "", rule);
    }
    int node = number(environment, nodeName);
    String host = environment.getOrDefault(master + "ADDR", "").strip();
    String port = environment.getOrDefault(master + "PORT", DEFAULT_PORT).strip();
    return checked(nodes, node, host.isEmpty() ? "" : host + ":" + port, rule, false);
  }

  private static NodePlace checked(
      int nodes, int node, String rendezvous, String rule, boolean noNumber) {
    if (nodes < 1 || node < 0 || node >= nodes || noNumber) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          noNumber
              ? "the run has " + nodes + " nodes, but --node-rank does not say which this one is"
              : "node " + node + " of " + nodes + " is no place, as " + rule + " say",
          "Number the nodes from 0 to one less than their number");
    }
    if (nodes > 1 && !rendezvous.matches(".+:\\d{1,5}")) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the run has "
              + nodes
              + " nodes by "
              + rule
              + ", but '"
              + rendezvous
              + "' says not where they meet",
          "Give --rendezvous HOST:PORT, the host of node 0, or set the address beside "
              + rule.split(",", 2)[0]);
    }
    return new NodePlace(nodes, node, rendezvous, rule);
  }

  private static boolean has(Map<String, String> environment, String name) {
    return !environment.getOrDefault(name, "").isBlank();
  }

  private static int number(Map<String, String> environment, String name) {
    String text = environment.getOrDefault(name, "").strip();
    if (!text.matches("\\d{1,9}")) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          name + " is '" + text + "', which is no number",
          "Correct it, or give --nodes, --node-rank and --rendezvous");
    }
    return Integer.parseInt(text);
  }
}
