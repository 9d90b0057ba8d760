package dev.duoka.doctor.container;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What is known of a run that will live in a container.
 *
 * @param name the run's name: letters, digits, dots, dashes
 * @param runFile the run file on the host; empty for files without a run
 * @param workingDirectory where relative paths of the run file start
 * @param readOnly absolute paths on the host that the run reads: corpus, tokenizer, model
 * @param runs the host's folder for what the run writes
 * @param gpus how many GPUs it uses of each machine; 0 for the CPU
 * @param nodes how many machines the run has, each with as many GPUs
 * @param graceSeconds how long it has to save, from SIGTERM on: twice what that is said to take
 * @param infiniband whether the host has InfiniBand adapters to hand in
 * @param driver the host's driver; empty when it is not known
 * @param baseImage an image to use instead of the table's, best with its digest
 * @param version duoka's version, as in the name of the bundle
 */
public record ContainerPlan(
    String name,
    Optional<Path> runFile,
    Path workingDirectory,
    List<Path> readOnly,
    Path runs,
    int gpus,
    int nodes,
    int graceSeconds,
    boolean infiniband,
    Optional<String> driver,
    Optional<String> baseImage,
    String version) {
  /** How long a run has to save at least, from SIGTERM on. */
  public static final int LEAST_GRACE_SECONDS = 120;

  /** Keeps a copy of the list, and refuses names that shells would take apart. */
  public ContainerPlan {
    readOnly = List.copyOf(readOnly);
    if (!name.matches("[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}")) {
      throw new IllegalArgumentException("'" + name + "' is no name for a container");
    }
    if (gpus < 0 || gpus > 1024) {
      throw new IllegalArgumentException(gpus + " GPUs");
    }
    if (graceSeconds < LEAST_GRACE_SECONDS) {
      throw new IllegalArgumentException(graceSeconds + " s to save");
    }
    if (nodes < 1 || nodes > 4096) {
      throw new IllegalArgumentException(nodes + " nodes");
    }
  }

  /** The archive that {@code duoka bundle} writes. */
  String bundle() {
    return "duoka-" + version + "-linux-x86_64";
  }
}
