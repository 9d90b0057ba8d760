package dev.duoka.cli.command;

import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.config.RunFileDocs;
import dev.duoka.train.run.MeshPicture;
import dev.duoka.train.run.RunChecks;
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

/** {@code duoka config}: checks a run file without running it. */
@Command(
    name = "config",
    description = "Check a run file and print every value that it stands for, as YAML.")
final class ConfigCommand implements Runnable {
  @Parameters(index = "0", arity = "0..1", paramLabel = "RUN.yaml", description = "The run file.")
  private @Nullable Path runFile;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field, for example --set training.steps=10. Repeatable.")
  private List<String> overrides = new ArrayList<>();

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
    RunConfig config = RunFile.read(runFile, overrides, RunChecks::problems);
    out.println("# " + runFile + " is valid. One step: " + BatchPlan.of(config) + ".");
    MeshPicture.of(config).forEach(line -> out.println("# " + line));
    out.print(RunFile.write(config));
    out.flush();
  }
}
