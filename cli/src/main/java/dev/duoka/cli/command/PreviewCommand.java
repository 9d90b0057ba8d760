package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.cli.console.PreviewPrinter;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.cli.console.Screen;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.RunChecks;
import dev.duoka.train.run.RunPreview;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka preview}: shows what a run would be trained on. */
@Command(
    name = "preview",
    description = {
      "Show the first sequences of a run as the model sees them: what is learned in colour, special"
          + " tokens, where documents begin, what is cut off.",
      "Tokenises the data as 'train' does, into the same cache; needs no GPU and no LibTorch.",
      "Example: duoka preview run.yaml --records 3"
    })
final class PreviewCommand implements Runnable {
  @Parameters(index = "0", paramLabel = "RUN.yaml", description = "The run file.")
  private Path runFile = Path.of("run.yaml");

  @Option(
      names = "--records",
      paramLabel = "N",
      defaultValue = "5",
      description = "How many sequences (${DEFAULT-VALUE}).")
  private int records;

  @Option(
      names = "--part",
      paramLabel = "PART",
      defaultValue = "training",
      description = "training or validation (${DEFAULT-VALUE}).")
  private String part = "training";

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Override a field, for example --set data.loss_on=last. Repeatable.")
  private List<String> overrides = new ArrayList<>();

  @Option(names = "--json", description = "Print one JSON object.")
  private boolean json;

  @Option(
      names = {"--no-colour", "--no-color"},
      description = "Brackets instead of colours, as where a file or pipe takes the output.")
  private boolean noColour;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    OptionRange.check("--records", records, 1, 10_000);
    SplitPart shown =
        switch (part) {
          case "training" -> SplitPart.TRAIN;
          case "validation" -> SplitPart.VALIDATION;
          default ->
              throw new DuokaException(
                  ErrorCode.USAGE,
                  "--part " + part + " is no part of the data",
                  "Give training or validation.");
        };
    RunConfig config = RunFile.read(runFile, overrides, RunChecks::problems);
    PrintWriter out = spec.commandLine().getOut();
    RunPreview preview = open(config, shown);
    if (json) {
      out.println(Json.line(PreviewPrinter.json(preview)));
      out.flush();
      return;
    }
    boolean colour = !noColour && Screen.isTerminal() && System.getenv("NO_COLOR") == null;
    new PreviewPrinter(out, colour).print(preview);
  }

  private RunPreview open(RunConfig config, SplitPart shown) {
    PrintWriter err = spec.commandLine().getErr();
    try (ProgressLine line = ProgressLine.open("reading the data", err)) {
      return RunPreview.of(config, shown, records, new Tokenising(line, err));
    }
  }

  private record Tokenising(ProgressLine line, PrintWriter err) implements TokenisationListener {
    @Override
    public void progress(TokenisationProgress state) {
      line.reached("tokenising", state.bytes(), state.totalBytes());
    }

    @Override
    public void notice(String message) {
      line.clear();
      err.println("note     " + message);
    }
  }
}
