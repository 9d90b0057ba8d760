package dev.duoka.cli.command;

import dev.duoka.cli.console.ProgressLine;
import dev.duoka.experiment.trial.KeptRunFile;
import dev.duoka.experiment.trial.Trial;
import dev.duoka.experiment.trial.TrialJson;
import dev.duoka.experiment.trial.TrialLedger;
import dev.duoka.experiment.trial.TrialRequest;
import dev.duoka.experiment.trial.TrialResult;
import dev.duoka.experiment.trial.TrialText;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.OwnCommand;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka trial}: a change of a run file beside the file as it is. */
@Command(
    name = "trial",
    description = {
      "Try a change of a run file: the file as it is and the changed one train in turns on the same"
          + " batches from the same weights. Says of speed, memory, loss and gradient norm whether"
          + " the change makes them better or worse, or no different, with a 99 %% interval.",
      "Without --set the run file is compared with itself.",
      "Exit status 0 whatever the verdict, which --json names; a change with which the run file"
          + " cannot train is one, too.",
      "Example: duoka trial run.yaml --set training.recompute=selective --keep"
    })
final class TrialCommand implements Callable<Integer> {
  /** By name: the class itself uses this package. */
  private static final String MAIN = "dev.duoka.cli.Main";

  @Parameters(index = "0", paramLabel = "RUN.yaml", description = "The run file.")
  private Path runFile = Path.of("run.yaml");

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "What is changed, for example --set parallel.zero=2. Repeatable.")
  private List<String> change = new ArrayList<>();

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps of each that are compared. Default: ${DEFAULT-VALUE}.")
  private int steps = 100;

  @Option(
      names = "--from",
      paramLabel = "RUN",
      description =
          "Start both from the newest checkpoint of this run's folder. Default: the first weights.")
  private @Nullable Path from;

  @Option(names = "--from-step", paramLabel = "N", description = "Which checkpoint of --from.")
  private @Nullable Long fromStep;

  @Option(
      names = "--itself",
      negatable = true,
      description =
          "Also compare the run file with itself, for what speed, loss and gradient norm differ by"
              + " when nothing is changed. Default: unless a trial has shown it before.")
  private @Nullable Boolean itself;

  @Option(
      names = "--keep",
      description =
          "Write the changed run file, with all its fields and without comments, in the place of"
              + " the old one if something is better and nothing worse or unknown; the file as it"
              + " was stays beside it.")
  private boolean keep;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where both write. Default: runs/trial-<name>-<time>.")
  private @Nullable Path out;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException {
    if (fromStep != null && from == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "--from-step names a checkpoint of --from, which is not given");
    }
    TrialLedger ledger = TrialLedger.standard();
    List<TrialResult> known = ledger.trials();
    TrialRequest request =
        new TrialRequest(
            runFile,
            change,
            steps,
            Optional.ofNullable(from),
            Optional.ofNullable(fromStep),
            itself == null ? !TrialResult.isKnown(runFile, steps, known) : itself,
            out == null ? RunFolderName.of("trial", runFile) : out);
    PrintWriter err = spec.commandLine().getErr();
    RunFolderName.announce(request.folder(), err);
    TrialResult result;
    try (ProgressLine line = ProgressLine.open("trial", err)) {
      result =
          new Trial(
                  request,
                  OwnCommand.upToMain(MAIN),
                  notice -> {
                    line.clear();
                    err.println("duoka: " + notice);
                  },
                  line)
              .run(known);
    }
    print(result);
    ledger.add(result);
    if (keep && result.decision() == TrialResult.Decision.KEEP) {
      Path before = KeptRunFile.write(runFile, request.copy(), change);
      err.println("duoka: the change is in " + runFile + "; the file as it was is " + before);
    } else if (keep) {
      err.println("duoka: " + runFile + " stays as it is: " + TrialText.decision(result));
    }
    err.flush();
    return 0;
  }

  private void print(TrialResult result) {
    PrintWriter lines = spec.commandLine().getOut();
    if (json) {
      lines.println(Json.line(TrialJson.of(result)));
    } else {
      TrialText.of(result).forEach(lines::println);
      if (!result.change().isEmpty()) {
        lines.println("Verdict: " + TrialText.decision(result));
      }
    }
    lines.flush();
  }
}
