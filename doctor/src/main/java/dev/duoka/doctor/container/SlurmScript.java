package dev.duoka.doctor.container;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The Slurm script: a task on each node, all its GPUs, in the image by pyxis or Apptainer. */
final class SlurmScript {
  private SlurmScript() {}

  static ExplainedFile of(ContainerPlan plan, BaseImage base) {
    int gpus = plan.gpus();
    ExplainedFile file = new ExplainedFile("train.sbatch");
    file.add("#!/bin/bash", "Slurm runs this on the first node of the job.");
    file.add("#SBATCH --job-name=" + plan.name(), "What squeue shows.");
    file.add("#SBATCH --nodes=" + plan.nodes(), "How many machines the run has.");
    file.add(
        "#SBATCH --ntasks-per-node=1",
        "A supervisor on each machine, which starts what drives the GPUs.");
    if (gpus > 0) {
      file.add("#SBATCH --gpus-per-node=" + gpus, "The GPUs that the run file asks for.");
    }
    file.add(
        "#SBATCH --cpus-per-task=" + Math.max(4, 8 * gpus),
        "Eight hardware threads a GPU, for batches, launches and an offloaded optimizer.");
    file.add(
        "#SBATCH --mem=0",
        "All memory of the node; a default share would let the kernel kill the run at a"
            + " checkpoint.");
    file.add(
        "#SBATCH --time=24:00:00",
        "Your site's limit; the run goes on from its checkpoint in the next job.");
    file.add(
        "#SBATCH --signal=B:TERM@" + plan.graceSeconds(),
        "So many seconds before the end the script is told, so that a checkpoint is saved: twice"
            + " what a save is said to take.");
    file.add(
        "#SBATCH --requeue", "The job may be put back into the queue, as it is when it was saved.");
    file.add(
        "#SBATCH --output=%x-%j.log\n#SBATCH --open-mode=append",
        "One log, named by job, which a job that is started again goes on with.");
    file.add(
        "set -euo pipefail",
        "A failing line ends the job with its status instead of training on half a set-up.");
    file.add(
        "export LC_ALL=C.UTF-8",
        "Names of files and prompts are UTF-8, whatever the node's locale is.");
    file.add(
        "export DUOKA_GRACE_SECONDS=" + plan.graceSeconds(),
        "What is left from the signal to the end: a save that would not fit is not begun.");
    if (plan.nodes() > 1) {
      file.add(
          "DUOKA_SECRET=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \\n')\nexport DUOKA_SECRET",
          "By which the machines know each other: drawn for each start of the job, and never part"
              + " of a command line.");
    }
    file.blank();
    file.add(
        "IMAGE=${IMAGE:?set IMAGE to the image, best with its digest:"
            + " registry/duoka-train@sha256:…}",
        "The image built from the Dockerfile and pushed to your registry; pinned by digest so that"
            + " a requeued job runs the same program.");
    file.add(
        "RUNS=${RUNS:-" + shell(plan.runs().toString()) + "}",
        "Where the run writes; must be on a file system that the node sees.");
    file.add("mkdir -p \"$RUNS\"", "It may not exist yet.");
    file.add(
        "ulimit -l unlimited || echo \"memlock stays at $(ulimit -l) KiB: RDMA may fail\" >&2",
        "Memory for RDMA; without the right to raise it the log says so.");
    file.add(
        "ulimit -n 65536 || echo \"open files stay at $(ulimit -n)\" >&2",
        "Shards, sockets and mapped data.");
    file.add("ulimit -s 65536 || true", "Stacks as NVIDIA's images expect; not essential.");
    file.add(
        """
        shm_kib=$(df -k --output=size /dev/shm | tail -n 1)
        if [ "$shm_kib" -lt 1048576 ]; then
          echo "/dev/shm has only $shm_kib KiB; ask for more shm size on this node" >&2
        fi\
        """,
        "pyxis and Apptainer use the node's /dev/shm, so its size (the shm size of Docker) is the"
            + " node's.");
    if (plan.infiniband()) {
      file.add(
          "if [ -n \"${NCCL_IB_HCA:-}\" ]; then export NCCL_IB_HCA; fi",
          "The network cards for NCCL, if your site names some; else NCCL takes those near each"
              + " GPU.");
    }
    file.add(
        "MOUNTS=" + mounts(plan),
        "What the run reads (`ro`) and writes, under the same paths as outside.");
    List<String> command = command(plan);
    file.add(
        """
        if srun --help 2>/dev/null | grep -q -- --container-image; then
          run=(srun --kill-on-bad-exit=1 --cpu-bind=none --container-image="$IMAGE" --container-mounts="$MOUNTS" --no-container-mount-home)
        else
          run=(srun --kill-on-bad-exit=1 --cpu-bind=none apptainer exec --nv --no-home --bind "$MOUNTS" "docker://$IMAGE")
        fi\
        """,
        "By pyxis where Slurm has it, else by Apptainer; both run as you, not as root. One process"
            + " drives all GPUs, so it is not bound to a few processors. A job that is put back"
            + " into the queue goes on from the newest checkpoint.");
    file.add(
        "\"${run[@]}\" " + String.join(" ", command) + " &",
        "In the background, so that the signal below reaches this script.");
    file.add("child=$!", "The process to wait for.");
    file.add(
        "told=\ntrap 'told=yes; scancel --signal=TERM \"$SLURM_JOB_ID\"' TERM",
        "Time is nearly up: duoka ends its step and saves. Slurm passes the signal on to the tasks;"
            + " srun itself would kill them.");
    file.add(
        """
        status=0
        wait "$child" || status=$?
        if [ -n "$told" ] && [ "$status" -gt 128 ]; then
          saved=0
          wait "$child" || saved=$?
          [ "$saved" -eq 127 ] || status=$saved
        fi
        if [ "$status" -eq 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt "${MOST_RESTARTS:-20}" ]; then
          scontrol requeue "$SLURM_JOB_ID"
        fi
        exit "$status\"\
        """,
        "The first wait ends with the signal; the second one waits for the checkpoint, and has the"
            + " status also where that was saved meanwhile (127: it was known before). Status 75"
            + " says that the run is saved and worth going on with: the job goes back into the"
            + " queue. Else it ends with duoka's own status.");
    return file;
  }

  private static List<String> command(ContainerPlan plan) {
    List<String> words = new ArrayList<>(List.of("duoka"));
    if (plan.runFile().isEmpty()) {
      words.add("doctor");
    } else {
      words.addAll(
          List.of(
              "train",
              shell(plan.runFile().get().toString()),
              "--run-dir",
              "/runs/" + plan.name()));
      words.addAll(List.of("--continue", "--supervise"));
    }
    return words;
  }

  private static String mounts(ContainerPlan plan) {
    StringBuilder mounts = new StringBuilder("\"$RUNS:/runs\"");
    List<Path> inputs = new ArrayList<>(plan.readOnly());
    plan.runFile().ifPresent(inputs::add);
    for (Path path : inputs) {
      if (path.toString().matches("(?s).*[,:].*")) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            "pyxis and Apptainer cannot mount " + path + ": they cut names at commas and colons",
            "Rename it, or write the files for --compose or --kubernetes alone");
      }
    }
    inputs.stream()
        .distinct()
        .forEach(path -> mounts.append(shell("," + path + ":" + path + ":ro")));
    return mounts.toString();
  }

  /** A word that the shell takes as it is. */
  static String shell(String text) {
    return text.matches("[A-Za-z0-9_./=,:@+-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }
}
