package dev.duoka.doctor.container;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;

/** The compose file: one service, with what NCCL and the driver need of the host. */
final class ComposeFile {
  private ComposeFile() {}

  static ExplainedFile of(ContainerPlan plan, BaseImage base) {
    ExplainedFile file = new ExplainedFile("compose.yaml");
    file.add("services:", "One service: a run is one process on all GPUs of the machine.");
    file.add(
        "  train:", "`docker compose run --rm train doctor` examines, `docker compose up` trains.");
    nested(
        file,
        """
        build:
          context: .
          args:
            BASE_IMAGE: %s
            UID: "${UID:-1000}"
            GID: "${GID:-1000}\"\
        """
            .formatted(quoted(plan.baseImage().orElse(base.image()))),
        "Built here; the base image is a parameter that takes a digest.");
    file.add(
        "    image: duoka-train:" + plan.version(),
        "A tag of its own version, so that two runs do not mix.");
    file.add(
        "    user: \"${UID:-1000}:${GID:-1000}\"",
        "Not root; `export UID GID=$(id -g)` first, so that the files belong to you.");
    file.add(
        "    command: " + command(plan),
        plan.runFile().isPresent()
            ? "Trains the run file and writes below /runs. To go on after a stop, add"
                + " `\"--resume\"`."
            : "Without a run file it examines the machine.");
    file.add(
        "    working_dir: " + quoted(plan.workingDirectory().toString()),
        "Relative paths of the run file mean the same inside.");
    file.add(
        "    init: true", "A first process that collects ended children and passes signals on.");
    file.add(
        "    stop_grace_period: " + plan.graceSeconds() + "s",
        "On `docker compose stop` duoka ends the step and saves a checkpoint; the default of 10 s"
            + " would kill it.");
    file.add("    restart: \"no\"", "A run that failed is looked at before it burns more hours.");
    file.add(
        "    shm_size: 16gb",
        "/dev/shm: Docker's 64 MB make NCCL fail as soon as ranks are processes.");
    nested(
        file,
        """
        ulimits:
          memlock: -1
          stack: 67108864
          nofile:
            soft: 65536
            hard: 65536\
        """,
        "Memory for RDMA may be locked; stacks of 64 MiB as NVIDIA's images expect; enough open"
            + " files for shards, sockets and mapped data.");
    nested(
        file,
        """
        security_opt:
          - no-new-privileges:true\
        """,
        "No program inside can gain rights.");
    if (plan.infiniband()) {
      nested(
          file,
          """
          devices:
            - /dev/infiniband:/dev/infiniband
          cap_add:
            - IPC_LOCK\
          """,
          "The InfiniBand adapters, and the right to lock memory for them.");
    }
    volumes(file, plan);
    nested(
        file,
        """
        healthcheck:
          test: ["CMD-SHELL", "%s"]
          interval: 60s
          timeout: 30s
          start_period: 30m
          retries: 3\
        """
            .formatted(Dockerfile.healthCheck(plan)),
        "As in the Dockerfile; `docker ps` shows it.");
    if (plan.gpus() > 0) {
      nested(
          file,
          """
          deploy:
            resources:
              reservations:
                devices:
                  - driver: nvidia
                    count: %d
                    capabilities: [gpu]\
          """
              .formatted(plan.gpus()),
          "The GPUs. To choose them, write `device_ids: [\"0\", \"1\"]` in the place of `count`,"
              + " cards of one NVLink domain together (`./duoka topo`).");
    }
    file.add(
        """
        volumes:
          cache:\
        """,
        "Compiled kernels and tokenised data, kept between containers.");
    return file;
  }

  /** Adds lines that belong to the service. */
  private static void nested(ExplainedFile file, String text, String why) {
    file.add(text.indent(4), why);
  }

  private static void volumes(ExplainedFile file, ContainerPlan plan) {
    file.add(
        "    volumes:",
        "What the run reads and writes; everything else of the host stays outside.");
    file.add("      - cache:/cache", "The cache.");
    file.add(
        mount(plan.runs().toString(), "/runs", false),
        "Checkpoints and metrics, the only folder of the host that is written. Make it first, with"
            + " `mkdir -p`: Docker refuses one that is not there, or makes one that belongs to"
            + " root.");
    Set<Path> inputs = new LinkedHashSet<>(plan.readOnly());
    plan.runFile().ifPresent(inputs::add);
    for (Path input : inputs) {
      file.add(
          mount(input.toString(), input.toString(), true),
          "Read only, under the same path as outside.");
    }
  }

  private static String mount(String source, String target, boolean readOnly) {
    return """
    - type: bind
      source: %s
      target: %s%s\
    """
        .formatted(quoted(source), quoted(target), readOnly ? "\n        read_only: true" : "")
        .indent(4)
        .stripTrailing()
        .replaceFirst("^\\s+- ", "      - ")
        .replaceAll("\n\\s+", "\n        ");
  }

  static String command(ContainerPlan plan) {
    Optional<Path> run = plan.runFile();
    return run.isEmpty()
        ? "[\"doctor\"]"
        : "[\"train\", "
            + quoted(run.get().toString())
            + ", \"--run-dir\", "
            + quoted("/runs/" + plan.name())
            + "]";
  }

  /** A string that YAML takes as it is; a dollar would be a variable for compose. */
  static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("$", "$$") + "\"";
  }
}
