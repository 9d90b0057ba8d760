package dev.duoka.cli.command;

import dev.duoka.doctor.container.ContainerDocs;
import dev.duoka.doctor.container.ContainerFiles;
import dev.duoka.doctor.container.ContainerPlan;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.probe.MachineSnapshot;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.PredictedSave;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka container}: Dockerfile, compose file and Slurm script for a run. */
@Command(
    name = "container",
    description = {
      "Write a Dockerfile, a compose file, a Slurm script and a Kubernetes job for a run, on an"
          + " image that fits the host's driver, and a note of what each line is for.",
      "Example: duoka container run.yaml --kubernetes --nodes 2 --out box"
    })
final class ContainerCommand implements Runnable {
  @Parameters(index = "0", arity = "0..1", paramLabel = "RUN.yaml", description = "The run file.")
  private @Nullable Path runFile;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "container",
      description = "Folder for the files. Default: ${DEFAULT-VALUE}.")
  private Path folder = Path.of("container");

  @Option(
      names = "--base-image",
      paramLabel = "NAME@sha256:…",
      description = "The base image, best with its digest. Default: by the driver.")
  private @Nullable String baseImage;

  @Option(
      names = "--driver",
      paramLabel = "VERSION",
      description = "The driver that the container will meet. Default: this machine's.")
  private @Nullable String driver;

  @Option(
      names = "--gpus",
      paramLabel = "N",
      description =
          "How many GPUs, 0 for the CPU alone. Default: what the run file asks for, else this"
              + " machine's.")
  private @Nullable Integer gpus;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description =
          "How many machines the run has, for --slurm and --kubernetes. Default: ${DEFAULT-VALUE}.")
  private int nodes = 1;

  @Option(names = "--compose", description = "Write the compose file; of none of the three, all.")
  private boolean compose;

  @Option(names = "--slurm", description = "Write the Slurm script.")
  private boolean slurm;

  @Option(names = "--kubernetes", description = "Write the Kubernetes job.")
  private boolean kubernetes;

  @Option(names = "--infiniband", description = "Hand the InfiniBand adapters in.")
  private boolean infiniband;

  @Option(names = "--force", description = "Overwrite files of an earlier call.")
  private boolean force;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Option(names = "--docs", description = "Print the page about containers, in Markdown.")
  private boolean docs;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    if (docs) {
      out.print(ContainerDocs.markdown());
    } else {
      ContainerPlan plan = plan();
      refuseToOverwrite();
      List<Path> files = ContainerFiles.write(plan, places(), folder);
      if (json) {
        out.println(Json.line(json(plan, files)));
        out.flush();
        return;
      }
      files.forEach(file -> out.println("Wrote " + file));
      out.println("NOTES.md says what each line is for, and which commands come next.");
    }
    out.flush();
  }

  private Set<ContainerFiles.Place> places() {
    Set<ContainerFiles.Place> places = EnumSet.noneOf(ContainerFiles.Place.class);
    if (compose) {
      places.add(ContainerFiles.Place.COMPOSE);
    }
    if (slurm) {
      places.add(ContainerFiles.Place.SLURM);
    }
    if (kubernetes) {
      places.add(ContainerFiles.Place.KUBERNETES);
    }
    return places.isEmpty() ? EnumSet.allOf(ContainerFiles.Place.class) : places;
  }

  private void refuseToOverwrite() {
    Path there = folder.resolve("Dockerfile");
    if (!force && Files.exists(there)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          there + " is there already; name another folder with --out, or overwrite with --force");
    }
  }

  private static ObjectNode json(ContainerPlan plan, List<Path> files) {
    ObjectNode json = Json.object();
    json.put("name", plan.name());
    json.put("gpus", plan.gpus());
    plan.driver()
        .ifPresentOrElse(version -> json.put("driver", version), () -> json.putNull("driver"));
    json.put("base_image", ContainerFiles.baseImage(plan));
    ArrayNode written = json.putArray("files");
    files.forEach(file -> written.add(file.toString()));
    return json;
  }

  private ContainerPlan plan() {
    if (gpus != null && (gpus < 0 || gpus > 1024)) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--gpus " + gpus + ": give 0 (the CPU alone) to 1024");
    }
    if (baseImage != null && !baseImage.matches("[\\w.:/@-]+")) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--base-image " + baseImage + " is no name of an image");
    }
    if (baseImage != null && !baseImage.matches(".*(:[\\w.-]+|@sha256:[0-9a-f]{64})")) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "--base-image "
              + baseImage
              + " names no tag or digest: write NAME:TAG or"
              + " NAME@sha256:…, of an image with CUDA and PyTorch");
    }
    if (nodes < 1 || nodes > 4096) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--nodes " + nodes + ": give 1 to 4096");
    }
    MachineSnapshot machine = LiveProbe.read();
    Optional<Path> file = Optional.ofNullable(runFile).map(Path::toAbsolutePath);
    Optional<RunConfig> run = Optional.ofNullable(runFile).map(f -> RunFile.read(f, List.of()));
    if (gpus != null && run.isPresent() && gpus != run.get().gpus()) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "--gpus "
              + gpus
              + ", but "
              + runFile
              + " takes "
              + run.get().gpus()
              + " (device, parallel.data); leave --gpus out, or change the run file");
    }
    run.ifPresent(config -> warn(config, spec.commandLine().getErr()));
    int count = gpus != null ? gpus : run.map(RunConfig::gpus).orElseGet(() -> gpus(machine));
    return new ContainerPlan(
        file.map(ContainerCommand::name).orElse("duoka"),
        file.map(Path::normalize),
        Path.of("").toAbsolutePath(),
        run.map(ContainerCommand::inputs).orElse(List.of()),
        Path.of("runs").toAbsolutePath(),
        count / nodes,
        nodes,
        grace(run.flatMap(PredictedSave::of)),
        infiniband,
        driver != null ? Optional.of(driver) : machine.driver().version().optional(),
        Optional.ofNullable(baseImage),
        Version.number());
  }

  private static int grace(Optional<PredictedSave> save) {
    return Math.max(
        ContainerPlan.LEAST_GRACE_SECONDS, save.map(PredictedSave::graceSeconds).orElse(0));
  }

  /** A machine without GPUs says nothing of the one that the container is for. */
  private int gpus(MachineSnapshot machine) {
    int seen = machine.gpuList().size();
    if (seen == 0) {
      throw new CommandLine.ParameterException(
          spec.commandLine(),
          "neither a run file nor --gpus says how many GPUs the container takes, and this machine"
              + " shows none; name the run file, or give --gpus 8, or --gpus 0 for the CPU alone");
    }
    return seen;
  }

  private static String name(Path runFile) {
    String name =
        String.valueOf(runFile.getFileName())
            .replaceFirst("\\.ya?ml$", "")
            .replaceAll("[^a-zA-Z0-9._-]", "-");
    return name.matches("[a-zA-Z0-9].{0,62}") ? name : "run";
  }

  /** What lies on the disk of what the run reads; globs and built-in sources do not. */
  private static List<Path> inputs(RunConfig run) {
    List<String> named = new ArrayList<>(run.data().locations());
    Set<Path> sources =
        named.stream()
            .flatMap(text -> beforeGlob(text).stream())
            .map(text -> Path.of(text).toAbsolutePath().normalize())
            .collect(Collectors.toSet());
    named.add(run.data().tokenizer());
    run.data().chatTemplate().ifPresent(named::add);
    run.data().allSources().forEach(source -> source.chatTemplate().ifPresent(named::add));
    run.model().path().ifPresent(path -> named.add(path.toString()));
    return named.stream()
        .flatMap(text -> beforeGlob(text).stream())
        .map(text -> Path.of(text).toAbsolutePath().normalize())
        .filter(path -> Files.exists(path) || sources.contains(path))
        .distinct()
        .toList();
  }

  /** What will not be found in the container as it is here. */
  private void warn(RunConfig run, PrintWriter err) {
    for (String source : run.data().locations()) {
      Optional<String> place = beforeGlob(source);
      if (place.isEmpty()) {
        err.println(
            "note     data.sources has "
                + source
                + ", which the Java runtime in a bundle does not bring: unpack lib/src.zip of a JDK"
                + " and name that folder");
      } else if (!Files.exists(Path.of(place.get()))) {
        err.println(
            "note     the source "
                + source
                + " is not here; it is mounted all the same, and must be under that path where the"
                + " container runs");
      }
    }
    err.flush();
  }

  /** The folder that a pattern starts in; everything below it is mounted. */
  private static Optional<String> beforeGlob(String source) {
    if (source.startsWith("jdk:")) {
      return Optional.empty();
    }
    int archive = source.indexOf("!/");
    if (archive >= 0) {
      return Optional.of(source.substring(0, archive));
    }
    int star = source.indexOf('*');
    if (star < 0) {
      return Optional.of(source);
    }
    int slash = source.lastIndexOf('/', star);
    return Optional.of(slash < 0 ? "." : slash == 0 ? "/" : source.substring(0, slash));
  }
}
