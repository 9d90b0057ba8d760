package dev.duoka.doctor.container;

/** The Dockerfile: the base image, the bundle, a user without rights. */
final class Dockerfile {
  private Dockerfile() {}

  static ExplainedFile of(ContainerPlan plan, BaseImage base) {
    String image = plan.baseImage().orElse(base.image());
    ExplainedFile file = new ExplainedFile("Dockerfile");
    file.add(
        "ARG BASE_IMAGE=" + image,
        plan.baseImage().isPresent()
            ? "The image that was asked for."
            : "PyTorch "
                + base.pytorch()
                + " with CUDA "
                + base.cuda()
                + ": "
                + base.why()
                + ". Pin it: `docker buildx imagetools inspect "
                + image
                + "` prints its digest, which belongs behind the name as `@sha256:…` (or run `duoka"
                + " container --base-image NAME@sha256:…`).");
    file.add("FROM ${BASE_IMAGE}", "A parameter, so that CI can pin the digest in one place.");
    file.blank();
    file.add(
        "SHELL [\"/bin/bash\", \"-euo\", \"pipefail\", \"-c\"]",
        "A failing command ends the build instead of leaving half an image.");
    if (base.install().isPresent() && plan.baseImage().isEmpty()) {
      file.add(
          """
          RUN apt-get update \\
           && apt-get install -y --no-install-recommends python3-venv \\
           && rm -rf /var/lib/apt/lists/* \\
           && python3 -m venv /opt/venv \\
           && /opt/venv/bin/pip install --no-cache-dir %s --index-url %s\
          """
              .formatted(base.install().get(), base.index().orElseThrow()),
          "PyTorch's own wheel brings LibTorch, cuDNN and NCCL; duoka looks in /opt/venv. Python is"
              + " not used when training.");
    }
    file.add(
        "ADD " + plan.bundle() + ".tar.xz /opt/",
        "The bundle that `./duoka bundle` writes: duoka with its own Java runtime. ADD unpacks"
            + " it.");
    file.add(
        "RUN ln -s /opt/" + plan.bundle() + "/duoka /usr/local/bin/duoka",
        "So that `duoka` is a command.");
    file.blank();
    file.add(
        "ARG UID=1000",
        "The user that runs the container; give your own: `--build-arg UID=$(id -u)`.");
    file.add("ARG GID=1000", "Its group, so that what the run writes belongs to you.");
    file.add(
        """
        RUN groupadd --non-unique --gid ${GID} trainer \\
         && useradd --non-unique --uid ${UID} --gid ${GID} --create-home trainer \\
         && install -d -o ${UID} -g ${GID} /runs /cache\
        """,
        "A user without rights, and the two folders that it writes to. The ids may exist in the"
            + " base image already.");
    file.add(
        "ENV XDG_CACHE_HOME=/cache",
        "Compiled kernels and tokenised data go to a volume that outlives the container.");
    file.add(
        "ENV LC_ALL=C.UTF-8",
        "Names of files and prompts are UTF-8; the locale of an image is POSIX, which knows ASCII"
            + " alone.");
    file.add(
        "ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility",
        "The container gets the driver's CUDA and NVML (nvidia-smi), not graphics.");
    file.add("USER trainer", "Nothing in the container runs as root.");
    file.add("WORKDIR /runs", "Where a run without a folder of its own writes.");
    file.add(
        "HEALTHCHECK --interval=60s --timeout=30s --start-period=30m --retries=3 CMD "
            + healthCheck(plan),
        "Healthy is a run that wrote a metrics line within 15 minutes"
            + (plan.gpus() > 0 ? " on a driver that answers" : "")
            + "; tokenising and loading come before that.");
    file.add(
        "ENTRYPOINT [\"duoka\"]", "`docker run IMAGE doctor` examines, `… train RUN.yaml` trains.");
    file.add("CMD [\"doctor\"]", "Without a command it says what is wrong with the machine.");
    return file;
  }

  static String healthCheck(ContainerPlan plan) {
    return (plan.gpus() > 0 ? "nvidia-smi -L > /dev/null && " : "")
        + "find /runs -name metrics.jsonl -mmin -15 | grep -q .";
  }
}
