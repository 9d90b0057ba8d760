package dev.duoka.cli.command;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.experiment.arm.ArmCommand;
import dev.duoka.experiment.trial.CopiedRunFile;
import dev.duoka.experiment.trial.KeptRunFile;
import dev.duoka.experiment.trial.TrialLedger;
import dev.duoka.experiment.tune.Candidate;
import dev.duoka.experiment.tune.Choices;
import dev.duoka.experiment.tune.LayoutSearch;
import dev.duoka.experiment.tune.Search;
import dev.duoka.experiment.tune.TuneText;
import dev.duoka.experiment.tune.Tuned;
import dev.duoka.experiment.tune.Tuning;
import dev.duoka.formats.json.Json;
import dev.duoka.machine.probe.CardUse;
import dev.duoka.operations.process.OwnCommand;
import dev.duoka.planner.layout.Job;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka tune}: the fastest settings of a run file, by trying them. */
@Command(
    name = "tune",
    description = {
      "Find the fastest settings of a run file by trying them: on a CPU threads and micro-batch; on"
          + " GPUs the planner's best layouts of all cards, and around the fastest of them"
          + " micro-batch, recompute, ZeRO stage, blocks in a bucket, pipeline schedule, offload"
          + " and what carries exchanges, one at a time as long as one is faster.",
      "Each is tried alone for a few steps; those that may be the fastest then train in turns with"
          + " the run file as it is. Batch, precision and the form of states stay as they are.",
      "Exit status 1 where nothing that was tried can train.",
      "Example: duoka tune run.yaml --minutes 8 --keep"
    })
final class TuneCommand implements Callable<Integer> {
  /** By name: the class itself uses this package. */
  private static final String MAIN = "dev.duoka.cli.Main";

  @Parameters(index = "0", paramLabel = "RUN.yaml", description = "The run file.")
  private Path runFile = Path.of("run.yaml");

  @Option(
      names = "--minutes",
      paramLabel = "N",
      description =
          "For trying settings and for comparing the fastest at the end; large models, which do not"
              + " fit on the cards twice, take longer. Default: ${DEFAULT-VALUE}.")
  private int minutes = 8;

  @Option(
      names = "--keep",
      description =
          "Write the run file with the best settings, with all its fields and without comments, in"
              + " the place of the old one, which stays beside it.")
  private boolean keep;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where the runs write. Default: runs/tune-<name>-<time>.")
  private @Nullable Path out;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    if (minutes < 1) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--minutes is " + minutes + ", and one is the least that is tried");
    }
    RunConfig config = RunFile.read(runFile, List.of(), RunChecks::problems);
    Tuning.requireLength(config);
    Path folder = out == null ? RunFolderName.of("tune", runFile) : out;
    Path copy = folder.resolve("run.yaml");
    CopiedRunFile.make(runFile, copy);
    PrintWriter err = spec.commandLine().getErr();
    RunFolderName.announce(folder, err);
    Search search = search(config, copy, err);
    Tuned tuned;
    try (ProgressLine line = ProgressLine.open("tune", err)) {
      tuned =
          new Tuning(
                  new ArmCommand(OwnCommand.upToMain(MAIN), copy),
                  folder,
                  candidate -> RunFile.read(copy, candidate.overrides()).parallel().ranks(),
                  config.training().tokensPerStep(),
                  minutes,
                  Tuning.margins(config, TrialLedger.standard().trials()),
                  notice -> {
                    line.clear();
                    err.println("duoka: " + notice);
                  },
                  line)
              .run(
                  search,
                  soFar -> {
                    line.clear();
                    err.println("duoka: " + TuneText.latest(soFar));
                    write(folder, soFar);
                  });
    }
    write(folder, tuned);
    print(tuned);
    if (keep && !tuned.best().settings().isEmpty()) {
      Path before = KeptRunFile.write(runFile, copy, tuned.best().overrides());
      err.println("duoka: the best is in " + runFile + "; the file as it was is " + before);
    }
    err.flush();
    return tuned.canTrain() ? 0 : 1;
  }

  private Search search(RunConfig config, Path copy, PrintWriter err) {
    if (config.gpus() == 0 || CardUse.read().isEmpty()) {
      return Search.through(Choices.of(copy, config, Runtime.getRuntime().availableProcessors()));
    }
    Job job =
        new Job(
            config.data().sequenceLength(),
            config.training().tokensPerStep(),
            Job.DEFAULT_IMBALANCE);
    try {
      LayoutForecast forecast =
          new LayoutForecast(ModelSource.config(config), config.layout(), job, err);
      return new LayoutSearch(
          copy, config, forecast.best(), candidate -> seconds(forecast, copy, candidate));
    } catch (DuokaException e) { // a card that is in no catalogue, for one
      err.println(
          "duoka: no layouts are planned, the search begins at the run file: " + e.problem());
      return new LayoutSearch(copy, config, List.of(), _ -> Double.NaN);
    }
  }

  private static double seconds(LayoutForecast forecast, Path copy, Candidate candidate) {
    try {
      RunConfig tried = RunFile.read(copy, candidate.overrides());
      return forecast.step(tried.layout(), tried.parallel().dispatcher()).seconds();
    } catch (DuokaException e) { // what the planner does not know is tried
      return Double.NaN;
    }
  }

  /** What is known is kept, also when the search is stopped. */
  private static void write(Path folder, Tuned tuned) {
    Path file = folder.resolve("tune.json");
    try {
      CrashSafeFiles.write(
          file, Json.pretty(TuneText.json(tuned)).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write " + file + ": " + IoReason.of(e),
          "Give another folder with --out",
          e);
    }
  }

  private void print(Tuned tuned) {
    PrintWriter lines = spec.commandLine().getOut();
    if (json) {
      lines.println(Json.line(TuneText.json(tuned)));
    } else {
      TuneText.of(tuned).forEach(lines::println);
    }
    lines.flush();
  }
}
