package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.train.snapshot.SnapshotComparison;
import dev.duoka.train.snapshot.SnapshotRef;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka snapshot diff}: what differs between two starts. */
@Command(
    name = "diff",
    description = {
      "Say what differs between two starts, of one run or of two, and whether it can change the"
          + " numbers, the last bits, or the speed alone.",
      "A start is RUN (its last one), RUN:N (its start N) or RUN:HASH (at least four digits of a"
          + " snapshot's hash); :N and :HASH for B are of the run of A.",
      "Example: duoka snapshot diff runs/demo:1 runs/demo:2"
    })
final class SnapshotDiffCommand implements Runnable {
  @Parameters(index = "0", paramLabel = "A", description = "The one start.")
  private String before = "";

  @Parameters(index = "1", paramLabel = "B", description = "The other start.")
  private String after = "";

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    SnapshotRef first = SnapshotRef.of(before, SnapshotDiffCommand::isRun, SnapshotCommand::folder);
    SnapshotRef second =
        SnapshotRef.of(
            after.startsWith(":") ? first.run() + after : after,
            SnapshotDiffCommand::isRun,
            SnapshotCommand::folder);
    SnapshotComparison comparison = SnapshotComparison.of(first.side(), second.side());
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode root = Json.object();
      root.put("a", first.text());
      root.put("b", second.text());
      root.setAll(comparison.json());
      out.println(Json.line(root));
    } else {
      out.println(first.text() + " → " + second.text());
      comparison.lines().forEach(out::println);
    }
    out.flush();
  }

  private static boolean isRun(String name) {
    try {
      new RunRegistry(StateFolder.standard()).find(name);
      return true;
    } catch (DuokaException e) {
      return false; // it has a start behind its name
    }
  }
}
