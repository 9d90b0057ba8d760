package dev.duoka.doctor.container;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The files of a container for one run. */
public final class ContainerFiles {
  private ContainerFiles() {}

  /**
   * The files by name: {@code Dockerfile}, {@code compose.yaml}, {@code train.sbatch}, {@code
   * job.yaml}, {@code .dockerignore} and {@code NOTES.md}.
   *
   * @throws DuokaException when the driver is too old for any image
   */
  public static Map<String, String> of(ContainerPlan plan) {
    return of(plan, EnumSet.allOf(Place.class));
  }

  /** Where a container is to run. */
  public enum Place {
    /** Docker, by {@code compose.yaml}. */
    COMPOSE,
    /** A cluster of Slurm's, by {@code train.sbatch}. */
    SLURM,
    /** Kubernetes, by {@code job.yaml}. */
    KUBERNETES
  }

  /** As the other method, with the files for some places alone. */
  public static Map<String, String> of(ContainerPlan plan, Set<Place> places) {
    BaseImage base = BaseImage.forDriver(plan.driver());
    List<ExplainedFile> files = new ArrayList<>(List.of(Dockerfile.of(plan, base)));
    if (places.contains(Place.COMPOSE)) {
      files.add(ComposeFile.of(plan, base));
    }
    if (places.contains(Place.SLURM)) {
      files.add(SlurmScript.of(plan, base));
    }
    if (places.contains(Place.KUBERNETES)) {
      files.add(KubernetesJob.of(plan));
    }
    files.add(
        new ExplainedFile(".dockerignore")
            .add("*", "Nothing of this folder goes to Docker,")
            .add("!" + plan.bundle() + ".tar.xz", "except the bundle."));
    Map<String, String> contents = new TreeMap<>();
    files.forEach(file -> contents.put(file.name(), file.text()));
    contents.put("NOTES.md", note(plan, base, files));
    return contents;
  }

  /** The image that the files build on. */
  public static String baseImage(ContainerPlan plan) {
    return plan.baseImage().orElseGet(() -> BaseImage.forDriver(plan.driver()).image());
  }

  /** Writes the files into a folder and returns their paths. */
  public static List<Path> write(ContainerPlan plan, Set<Place> places, Path folder) {
    Map<String, String> contents = of(plan, places);
    try {
      Files.createDirectories(folder);
      for (Map.Entry<String, String> file : contents.entrySet()) {
        CrashSafeFiles.write(
            folder.resolve(file.getKey()), file.getValue().getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write into " + folder + ": " + e.getMessage(),
          "Name a writable folder with --out",
          e);
    }
    return contents.keySet().stream().map(folder::resolve).toList();
  }

  private static String note(ContainerPlan plan, BaseImage base, List<ExplainedFile> files) {
    StringBuilder note = new StringBuilder();
    note.append("# The container of ").append(plan.name()).append("\n\n");
    note.append("Base image: `").append(plan.baseImage().orElse(base.image())).append("`. ");
    note.append(
        plan.driver()
            .map(driver -> "The host's driver is " + driver + ": " + base.why() + ".")
            .orElse("The host's driver is not known; this image needs 580 or later."));
    note.append(" Source: ").append(base.source()).append(".\n\n");
    note.append(
        """
        ```bash
        ./duoka bundle --output %s.tar.xz            # in duoka's folder; then copy it beside these files
        docker compose build
        docker compose run --rm train doctor         # is the machine fit, seen from inside?
        docker compose up                            # trains
        IMAGE=registry/duoka-train@sha256:… sbatch train.sbatch
        kubectl apply -f job.yaml                    # after its image is named
        ```

        What each line is for:

        """
            .formatted(plan.bundle()));
    files.forEach(file -> note.append(file.note()));
    return note.toString().stripTrailing() + "\n";
  }
}
