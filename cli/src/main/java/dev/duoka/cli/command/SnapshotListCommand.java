package dev.duoka.cli.command;

import dev.duoka.formats.json.Json;
import dev.duoka.train.snapshot.RunSnapshot;
import dev.duoka.train.snapshot.RunStart;
import dev.duoka.train.snapshot.SnapshotStore;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka snapshot list}: the starts of a run. */
@Command(
    name = "list",
    description = {
      "List the starts of a run: when, after which step, and with which snapshot. Starts with the"
          + " same hash were made with the same configuration, program, machine and data.",
      "Example: duoka snapshot list runs/demo"
    })
final class SnapshotListCommand implements Runnable {
  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    Path folder = SnapshotCommand.folder(run);
    SnapshotStore store = new SnapshotStore(folder);
    List<RunStart> starts = store.starts();
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode root = Json.object();
      root.put("run", folder.toString());
      ArrayNode all = root.putArray("starts");
      starts.forEach(start -> all.add(start.json()));
      out.println(Json.line(root));
    } else if (starts.isEmpty()) {
      out.println(store.whyNone());
    } else {
      starts.forEach(start -> out.println(line(start)));
    }
    out.flush();
  }

  private static String line(RunStart start) {
    return String.format(
            Locale.ROOT,
            "%3d  %s  after step %-8d %s",
            start.number(),
            start.time(),
            start.afterStep(),
            RunSnapshot.shortened(start.hash()))
        + (start.undone() ? "  undone" : "");
  }
}
