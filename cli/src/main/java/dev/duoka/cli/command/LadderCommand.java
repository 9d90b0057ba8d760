package dev.duoka.cli.command;

import dev.duoka.cli.console.ProgressLine;
import dev.duoka.experiment.ladder.Ladder;
import dev.duoka.experiment.ladder.LadderJson;
import dev.duoka.experiment.ladder.LadderLimits;
import dev.duoka.experiment.ladder.LadderPlan;
import dev.duoka.experiment.ladder.LadderResult;
import dev.duoka.experiment.ladder.LadderText;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.CardUse;
import dev.duoka.operations.process.OwnCommand;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka ladder}: a run on one card, on two, up to all of its mesh. */
@Command(
    name = "ladder",
    description = {
      "Climb from one card to all of a run's, each rung proven before the next: the same losses as"
          + " the rung below on the same batches, then memory and speed as they were predicted, and"
          + " a card's speed with as many tokens as it had below. Where a rung does not hold the"
          + " model, a small likeness of the run is compared with one rank (duoka selftest).",
      "Stops at the first rung that fails, with what is behind it: a busy card, a setting, a link,"
          + " a collective, an axis of the mesh. Ends with a table, a picture and the run file for"
          + " the whole mesh. Exit status 1 when a rung fails.",
      "Example: duoka ladder run.yaml --set parallel.data=8"
    })
final class LadderCommand implements Callable<Integer> {
  /** By name: the class itself uses this package. */
  private static final String MAIN = "dev.duoka.cli.Main";

  @Parameters(index = "0", paramLabel = "RUN.yaml", description = "The run file.")
  private Path runFile = Path.of("run.yaml");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field, for example --set parallel.data=8. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps of each rung whose time is measured. Default: ${DEFAULT-VALUE}.")
  private int steps = 24;

  @Option(
      names = "--least-speed",
      paramLabel = "PERCENT",
      description =
          "A rung fails when its speed is certainly less than this part of the predicted one."
              + " Default: 80; 50 on a CPU, whose cores are seldom idle.")
  private @Nullable Integer leastSpeed;

  @Option(
      names = "--least-efficiency",
      paramLabel = "PERCENT",
      description =
          "A rung fails when a card's speed is certainly less than this part of that on the first"
              + " rung that holds the model. Default: 50; 0 on a CPU, whose cores all ranks share.")
  private @Nullable Integer leastEfficiency;

  @Option(
      names = "--least-link",
      paramLabel = "PERCENT",
      description =
          "A rung fails when a collective carries less than this part of what its slowest link"
              + " should. Default: 25.")
  private @Nullable Integer leastLink;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where everything is written. Default: runs/ladder-<name>-<time>.")
  private @Nullable Path out;

  @Option(names = "--json", description = "Print one JSON object instead of a table.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    RunConfig config = RunFile.read(runFile, overrides, RunChecks::problems);
    boolean onCpu = config.gpus() == 0 || CardUse.read().isEmpty();
    LadderLimits limits =
        LadderLimits.ofPercent(
            steps, given(leastSpeed), given(leastEfficiency), given(leastLink), onCpu);
    LadderPlan plan = new LadderPlan(config, onCpu, Runtime.getRuntime().availableProcessors());
    Path folder = out == null ? RunFolderName.of("ladder", runFile) : out;
    PrintWriter err = spec.commandLine().getErr();
    RunFolderName.announce(folder, err);
    LadderResult result;
    try (ProgressLine line = ProgressLine.open("ladder", err)) {
      result =
          new Ladder(runFile, config, plan, limits, folder, OwnCommand.upToMain(MAIN), line)
              .run(
                  rung -> {
                    line.clear();
                    err.println("duoka: " + LadderText.line(rung));
                  });
    }
    PrintWriter lines = spec.commandLine().getOut();
    if (json) {
      lines.println(Json.line(LadderJson.of(result)));
    } else {
      LadderText.of(result).forEach(lines::println);
    }
    lines.flush();
    err.flush();
    return result.isWhole() ? 0 : 1;
  }

  private static OptionalInt given(@Nullable Integer percent) {
    return percent == null ? OptionalInt.empty() : OptionalInt.of(percent);
  }
}
