package dev.duoka.cli.command;

import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.SavedRun;
import dev.duoka.operations.watch.WatchedRun;
import java.io.PrintWriter;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka save}: a run for those who look at it elsewhere. */
@Command(
    name = "save",
    description = {
      "Save the page of a run as one HTML file that needs nothing else, or its measures as an event"
          + " file of TensorBoard. (metrics.jsonl of the run has them as JSON lines.)",
      "Example: duoka save runs/demo --html demo.html"
    })
final class SaveCommand implements Runnable {
  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Option(names = "--html", paramLabel = "FILE", description = "Save the page there.")
  private @Nullable Path html;

  @Option(
      names = "--with-text",
      description =
          "With --html: keep the log, the answers and what the supervisor has said in it. Who gets"
              + " the file reads what the run has said.")
  private boolean withText;

  @Option(
      names = "--tensorboard",
      paramLabel = "DIR",
      description = "Write an event file there, for tensorboard --logdir.")
  private @Nullable Path tensorboard;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    if (html == null && tensorboard == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine(), "say what to save: --html FILE or --tensorboard DIR");
    }
    StateFolder state = StateFolder.standard();
    WatchedRun watched = new WatchedRun(new RunRegistry(state).find(run), state);
    try (ProgressLine _ = ProgressLine.open("reading the run", spec.commandLine().getErr())) {
      watched.readAll();
    }
    ObjectNode saved = Json.object();
    if (html != null) {
      SavedRun.html(watched, html, withText);
      saved.put("page", html.toString());
    }
    if (tensorboard != null) {
      saved.put("events", SavedRun.events(watched, tensorboard).toString());
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(saved));
    } else {
      saved
          .properties()
          .forEach(each -> out.printf("%-7s %s%n", each.getKey(), each.getValue().asString("")));
    }
    out.flush();
  }
}
