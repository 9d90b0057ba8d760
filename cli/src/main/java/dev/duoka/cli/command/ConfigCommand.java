package dev.duoka.cli.command;

import dev.duoka.formats.json.Json;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.config.RunFileDocs;
import dev.duoka.train.placement.Explanation;
import dev.duoka.train.placement.Lines;
import dev.duoka.train.placement.MachineView;
import dev.duoka.train.placement.MeshPicture;
import dev.duoka.train.placement.MeshPlacement;
import dev.duoka.train.placement.PlacementJson;
import dev.duoka.train.run.RunChecks;
import dev.duoka.train.run.TrainedNotices;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka config}: checks a run file without running it. */
@Command(
    name = "config",
    description = {
      "Check a run file and print every value that it stands for, as YAML; above it what a step is,"
          + " which modules have an adapter, how many weights are trained, and the mesh.",
      "Example: duoka config run.yaml --explain"
    })
final class ConfigCommand implements Runnable {
  @Parameters(index = "0", arity = "0..1", paramLabel = "RUN.yaml", description = "The run file.")
  private @Nullable Path runFile;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field, for example --set training.steps=10. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--explain",
      description = "Say why each rank is where it is, with the links between them.")
  private boolean explain;

  @Option(
      names = "--topo",
      paramLabel = "OUTPUT",
      description =
          "Check against the machine of this output of 'nvidia-smi topo -m', not against this one;"
              + " - reads standard input.")
  private @Nullable Path topology;

  @Option(
      names = "--json",
      description =
          "Print one JSON object: the step, what is trained, the mesh and where its ranks are.")
  private boolean json;

  @Option(names = "--docs", description = "Print the reference of the run file, in Markdown.")
  private boolean docs;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    if (docs) {
      out.print(RunFileDocs.markdown());
      out.flush();
      return;
    }
    if (runFile == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "name a run file, or --docs for the reference of all fields");
    }
    MachineView machine = machine();
    RunConfig config =
        RunFile.read(runFile, overrides, run -> RunChecks.problems(run, machine), machine::gpus);
    String step = BatchPlan.of(config).text(config.parallel().ranks());
    MeshPlacement placement = MeshPlacement.of(config, machine);
    if (json) {
      ObjectNode root = Json.object();
      root.put("run_file", runFile.toString());
      root.put("step", step);
      ArrayNode trained = root.putArray("trained");
      TrainedNotices.of(config).forEach(trained::add);
      root.set("mesh", PlacementJson.of(placement));
      out.println(Json.line(root));
      out.flush();
      return;
    }
    out.println("# " + runFile + " is valid.");
    out.println("# One step: " + step + ".");
    TrainedNotices.of(config).stream()
        .flatMap(sentence -> Lines.of(sentence).stream())
        .forEach(line -> out.println("# " + line));
    MeshPicture.of(config, placement).forEach(line -> out.println("# " + line));
    if (explain) {
      Explanation.of(placement).stream()
          .flatMap(sentence -> Lines.of(sentence).stream())
          .forEach(line -> out.println("# " + line));
    }
    out.print(RunFile.write(config));
    out.flush();
  }

  private MachineView machine() {
    return topology == null
        ? MachineView.live()
        : MachineView.of(TopologyFile.read(topology), TopologyFile.name(topology));
  }
}
