package dev.duoka.cli.command;

import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.NodePlace;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of {@code duoka train} that are for the run's supervisor. */
final class SupervisionOptions {
  /** Set for a worker by its supervisor; its own name is not an option for people. */
  static final String FAILURE_FILE = "DUOKA_FAILURE_FILE";

  private static final String GRACE = "DUOKA_GRACE_SECONDS";

  @Option(
      names = "--supervise",
      negatable = true,
      description = {
        "Run under a supervisor, which survives this terminal, explains hangs, and starts the run"
            + " again after failures. Default: on several GPUs."
      })
  private @Nullable Boolean supervise;

  @Option(
      names = "--max-restarts",
      paramLabel = "N",
      description = "How often a supervised run is started again. Default: ${DEFAULT-VALUE}.")
  private int maxRestarts = LaunchSpec.DEFAULT_RESTARTS;

  @Option(
      names = "--grace",
      paramLabel = "SECONDS",
      description =
          "How long a supervised run has after SIGTERM. A save that does not fit is not begun."
              + " Default: DUOKA_GRACE_SECONDS, else as long as it takes.")
  private @Nullable Integer grace;

  @Option(
      names = "--hang-seconds",
      paramLabel = "SECONDS",
      description =
          "The least time without progress of a rank that is a hang, once its steps are known."
              + " Default: ${DEFAULT-VALUE}.")
  private int hangSeconds = LaunchSpec.DEFAULT_HANG_SECONDS;

  @Option(
      names = "--wait-for-gpus",
      description =
          "Wait until nobody else uses the GPUs of a supervised run, in place of refusing it.")
  private boolean waitForGpus;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description = "How many machines the run has. Default: what PET_NNODES says, else 1.")
  private @Nullable Integer nodes;

  @Option(
      names = "--node-rank",
      paramLabel = "N",
      description = "Which of them this one is, from 0.")
  private @Nullable Integer nodeRank;

  @Option(
      names = "--rendezvous",
      paramLabel = "HOST:PORT",
      description = "Where the machines meet: node 0, and a free port of it.")
  private @Nullable String rendezvous;

  /** What the command line says of supervision; empty for nothing. */
  Optional<Boolean> supervise() {
    return Optional.ofNullable(supervise);
  }

  boolean waitForGpus() {
    return waitForGpus;
  }

  int maxRestarts() {
    return maxRestarts;
  }

  int hangSeconds() {
    return hangSeconds;
  }

  /** How long the run has after SIGTERM; empty for as long as it takes. */
  OptionalInt grace(Map<String, String> environment) {
    if (grace != null) {
      return OptionalInt.of(grace);
    }
    String text = environment.getOrDefault(GRACE, "").strip();
    return text.matches("\\d{1,6}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
  }

  /** Where this machine is among those of the run. */
  NodePlace place(Map<String, String> environment) {
    return NodePlace.of(
        optional(nodes), optional(nodeRank), Optional.ofNullable(rendezvous), environment);
  }

  private static OptionalInt optional(@Nullable Integer value) {
    return value == null ? OptionalInt.empty() : OptionalInt.of(value);
  }
}
