package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.experiment.trial.TrialJson;
import dev.duoka.experiment.trial.TrialLedger;
import dev.duoka.experiment.trial.TrialResult;
import dev.duoka.experiment.trial.TrialText;
import dev.duoka.formats.json.Json;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;

/** {@code duoka trials}: what was tried. */
@Command(
    name = "trials",
    description = {
      "List the trials of this user on this machine, newest first, with what they have shown.",
      "Example: duoka trials run.yaml"
    })
final class TrialsCommand implements Runnable {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RUN.yaml",
      description = "Only those of this run file, each with all that was measured.")
  private @Nullable Path runFile;

  @Option(names = "--json", description = "Print a JSON array instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    Path of = runFile == null ? null : runFile.toAbsolutePath().normalize();
    List<TrialResult> trials =
        TrialLedger.standard().trials().reversed().stream()
            .filter(trial -> of == null || trial.runFile().equals(of))
            .toList();
    PrintWriter out = spec.commandLine().getOut();
    if (runFile != null && trials.isEmpty() && !Files.exists(runFile)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "there is no run file " + runFile + ", and none of that name was tried",
          "Leave it out to see all trials with their run files");
    }
    if (json) {
      ArrayNode all = Json.object().putArray("trials");
      trials.forEach(trial -> all.add(TrialJson.of(trial)));
      out.println(Json.line(all));
    } else if (trials.isEmpty()) {
      out.println("Nothing was tried here; duoka trial RUN.yaml --set KEY=VALUE does.");
    } else {
      for (TrialResult trial : trials) {
        out.println(TrialText.line(trial));
        if (of != null) {
          TrialText.of(trial).stream().skip(1).forEach(out::println);
        }
      }
    }
    out.flush();
  }
}
