package dev.duoka.doctor.container;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Rules that the files of a container must keep: images by tag or digest, no root, room in
 * /dev/shm, limits raised, inputs read only, a health check, scripts that stop at failures.
 */
public final class ContainerLint {
  private final List<String> problems = new ArrayList<>();

  private ContainerLint() {}

  /** What is wrong with a set of files, by name; none when all is well. */
  public static List<String> problems(Map<String, String> files) {
    ContainerLint lint = new ContainerLint();
    lint.dockerfile(files.getOrDefault("Dockerfile", ""));
    lint.compose(files.getOrDefault("compose.yaml", ""));
    lint.slurm(files.getOrDefault("train.sbatch", ""));
    lint.kubernetes(files.getOrDefault("job.yaml", ""));
    files.forEach(
        (name, text) -> {
          lint.require(!text.contains(":latest"), name + ": an image is named ':latest'");
          lint.require(text.endsWith("\n"), name + ": the last line has no end");
          lint.require(
              text.lines().noneMatch(line -> line.endsWith(" ")), name + ": space at a line's end");
        });
    return List.copyOf(lint.problems);
  }

  private void dockerfile(String text) {
    List<String> lines = text.lines().map(String::strip).toList();
    Optional<String> base =
        lines.stream().filter(line -> line.startsWith("ARG BASE_IMAGE=")).findFirst();
    require(
        base.isPresent()
            && base.get().matches("ARG BASE_IMAGE=\\S+(:[\\w][\\w.-]*|@sha256:[0-9a-f]{64})"),
        "Dockerfile: the base image has neither tag nor digest");
    List<String> users = lines.stream().filter(line -> line.startsWith("USER ")).toList();
    require(
        !users.isEmpty() && !users.getLast().matches("USER (root|0)(:.*)?"),
        "Dockerfile: it runs as root");
    int lastUser = users.isEmpty() ? -1 : lines.lastIndexOf(users.getLast());
    require(
        lines.subList(lastUser + 1, lines.size()).stream()
            .noneMatch(line -> line.startsWith("RUN ")),
        "Dockerfile: something is installed after the last USER");
    require(
        lines.stream().anyMatch(line -> line.startsWith("HEALTHCHECK ")),
        "Dockerfile: there is no health check");
    require(text.contains("pipefail"), "Dockerfile: failures inside a pipe of RUN go unseen");
    require(
        !text.contains("apt-get install") || text.contains("rm -rf /var/lib/apt/lists"),
        "Dockerfile: package lists stay in the image");
    require(lines.contains("ENV LC_ALL=C.UTF-8"), "Dockerfile: the locale is not that of UTF-8");
    require(!text.contains("sudo "), "Dockerfile: sudo in an image");
  }

  private void compose(String text) {
    JsonFields root;
    try {
      root = YamlData.parse(text, "compose.yaml");
    } catch (DuokaException e) {
      problems.add("compose.yaml: " + e.getMessage());
      return;
    }
    Optional<JsonFields> service = root.object("services").flatMap(s -> s.object("train"));
    if (service.isEmpty()) {
      problems.add("compose.yaml: there is no service 'train'");
      return;
    }
    JsonFields train = service.get();
    require(train.text("shm_size").isPresent(), "compose.yaml: shm_size is not set");
    Optional<JsonFields> limits = train.object("ulimits");
    require(
        limits.isPresent() && limits.get().isPresent("memlock") && limits.get().isPresent("nofile"),
        "compose.yaml: ulimits for memlock and nofile are not set");
    require(
        train.text("user").filter(user -> !user.matches("(root|0)(:.*)?")).isPresent(),
        "compose.yaml: it runs as root");
    require(train.object("healthcheck").isPresent(), "compose.yaml: there is no health check");
    require(!train.flag("privileged", false), "compose.yaml: it is privileged");
    require(
        train.text("stop_grace_period").isPresent(), "compose.yaml: no time to save at the end");
    train
        .node("volumes")
        .ifPresent(
            volumes ->
                volumes.forEach(
                    volume -> {
                      if (volume.isObject()
                          && !"/runs".equals(volume.path("target").asString(""))
                          && !volume.path("read_only").asBoolean(false)) {
                        problems.add(
                            "compose.yaml: " + volume.path("source").asString("") + " is writable");
                      }
                    }));
  }

  private void slurm(String text) {
    require(text.startsWith("#!/bin/bash\n"), "train.sbatch: it does not begin with #!/bin/bash");
    require(
        text.lines().anyMatch("set -euo pipefail"::equals),
        "train.sbatch: 'set -euo pipefail' is missing");
    List<String> lines = text.lines().toList();
    int firstCommand = 0;
    while (firstCommand < lines.size() && lines.get(firstCommand).startsWith("#")) {
      firstCommand++;
    }
    require(
        lines.subList(firstCommand, lines.size()).stream().noneMatch(l -> l.startsWith("#SBATCH")),
        "train.sbatch: Slurm ignores #SBATCH after the first command");
    require(
        lines.contains("export LC_ALL=C.UTF-8"), "train.sbatch: the locale is not that of UTF-8");
    require(text.contains("ulimit -l unlimited"), "train.sbatch: memlock is not raised");
    require(text.contains("/dev/shm"), "train.sbatch: /dev/shm is not looked at");
    require(text.contains("#SBATCH --signal="), "train.sbatch: no warning before the end");
    require(text.contains("IMAGE:?"), "train.sbatch: the image is not a parameter");
    require(!text.contains("`"), "train.sbatch: backquotes; use $(…)");
  }

  private void kubernetes(String text) {
    String[] documents = text.split("(?m)^---$");
    require(documents.length == 2, "job.yaml: it has not two documents");
    JsonFields job;
    try {
      YamlData.parse(documents[0], "job.yaml");
      job = YamlData.parse(documents[documents.length - 1], "job.yaml");
    } catch (DuokaException e) {
      problems.add("job.yaml: " + e.getMessage());
      return;
    }
    Optional<JsonFields> spec = job.object("spec");
    Optional<JsonFields> pod =
        spec.flatMap(it -> it.object("template")).flatMap(it -> it.object("spec"));
    if (pod.isEmpty()) {
      problems.add("job.yaml: the job has no pod");
      return;
    }
    require(
        spec.flatMap(it -> it.text("completionMode")).filter("Indexed"::equals).isPresent(),
        "job.yaml: pods have no number");
    require(
        spec.get().object("podFailurePolicy").isPresent(),
        "job.yaml: what would fail again is started again");
    require(
        pod.get().isPresent("terminationGracePeriodSeconds"),
        "job.yaml: no time to save at the end");
    require(
        pod.get()
            .object("securityContext")
            .filter(it -> it.flag("runAsNonRoot", false))
            .isPresent(),
        "job.yaml: it may run as root");
    require(
        !pod.get().flag("automountServiceAccountToken", true),
        "job.yaml: it has rights in the cluster");
    for (String needed :
        List.of("/dev/shm", "livenessProbe", "allowPrivilegeEscalation: false", "drop: [ALL]")) {
      require(text.contains(needed), "job.yaml: " + needed + " is missing");
    }
    require(!text.contains("privileged: true"), "job.yaml: it is privileged");
  }

  private void require(boolean held, String problem) {
    if (!held) {
      problems.add(problem);
    }
  }
}
