package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.RunNotes;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka runs}: the runs of this user on this machine. */
@Command(
    name = "runs",
    description = {
      "List the runs of this user on this machine with their state, progress and speed, newest"
          + " first.",
      "Example: duoka runs --active"
    })
final class RunsCommand implements Runnable {
  @Option(names = "--active", description = "Only those that go on.")
  private boolean active;

  @Option(
      names = "--tag",
      paramLabel = "TAG",
      description = "Only those that have this tag in their notes; see duoka note.")
  private @Nullable String tag;

  @Option(names = "--json", description = "Print a JSON array instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    RunRegistry registry = new RunRegistry(StateFolder.standard());
    List<RunStatus> runs =
        registry.entries().stream()
            .filter(entry -> tag == null || tags(entry.folder()).contains(tag))
            .map(RunStatus::of)
            .filter(run -> !active || run.isActive())
            .toList();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ArrayNode all = Json.object().putArray("runs");
      runs.forEach(
          run -> {
            ObjectNode one = run.json();
            tags(run.folder()).forEach(one.putArray("tags")::add);
            all.add(one);
          });
      out.println(Json.line(all));
    } else if (runs.isEmpty()) {
      out.println(
          active || tag != null
              ? "There is no such run."
              : "No run was started by this user here.");
    } else {
      runs.forEach(run -> out.println(line(run)));
    }
    out.flush();
    PrintWriter err = spec.commandLine().getErr();
    registry
        .damaged()
        .forEach(
            file ->
                err.println(
                    "one run is not listed: "
                        + file
                        + " is damaged. The run is in its folder, which other commands take."));
    err.flush();
  }

  private static String line(RunStatus run) {
    String total = run.progress().totalSteps() == 0 ? "" : "/" + run.progress().totalSteps();
    String text =
        String.format(
                Locale.ROOT,
                "%-24s %-9s step %s%s  loss %s  %s tok/s%s  %s",
                run.folder().getFileName(),
                run.state(),
                run.progress().step(),
                total,
                number("%.4f", run.progress().loss()),
                number("%,.0f", run.progress().tokensPerSecond()),
                run.attempt() > 1 ? "  attempt " + run.attempt() : "",
                run.folder())
            + tags(run.folder()).stream().map(each -> "  #" + each).collect(Collectors.joining());
    return run.reason().isEmpty() || run.state() == RunStatus.State.DONE
        ? text
        : text + System.lineSeparator() + "  " + run.reason();
  }

  /** Notes that cannot be read hide no run. */
  private static List<String> tags(Path run) {
    try {
      return RunNotes.of(run).tags();
    } catch (DuokaException e) {
      return List.of();
    }
  }

  private static String number(String format, double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, format, value);
  }
}
