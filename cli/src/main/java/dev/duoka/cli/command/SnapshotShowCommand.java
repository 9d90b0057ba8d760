package dev.duoka.cli.command;

import dev.duoka.formats.json.Json;
import dev.duoka.train.snapshot.RunSnapshot;
import dev.duoka.train.snapshot.RunStart;
import dev.duoka.train.snapshot.SnapshotStore;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka snapshot show}: all that one start was made with. */
@Command(
    name = "show",
    description = {
      "Print all that a start of a run was made with, a field a line.",
      "Example: duoka snapshot show runs/demo 2"
    })
final class SnapshotShowCommand implements Runnable {
  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "HASH",
      description =
          "The first digits of a snapshot's hash, at least four, or the number of a start. Default:"
              + " the last start.")
  private String name = "";

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    Path folder = SnapshotCommand.folder(run);
    SnapshotStore store = new SnapshotStore(folder);
    RunStart start = store.find(name);
    RunSnapshot snapshot = store.read(start.hash());
    Optional<RunSnapshot> products = start.products().map(store::read);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      ObjectNode root = start.json();
      root.put("run", folder.toString());
      root.set("snapshot", snapshot.content());
      products.ifPresent(it -> root.set("product_algorithms", it.content().path("products")));
      out.println(Json.line(root));
    } else {
      out.println("# start " + start.number() + " of " + folder + ", " + start.time());
      out.println("# after step " + start.afterStep() + (start.undone() ? ", undone since" : ""));
      out.println("# sha256 " + start.hash());
      snapshot.fields().forEach((key, value) -> out.println(key + ": " + value));
      products.ifPresent(
          it -> it.fields().forEach((key, value) -> out.println(key + ": " + value)));
    }
    out.flush();
  }
}
