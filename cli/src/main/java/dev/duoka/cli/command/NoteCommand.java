package dev.duoka.cli.command;

import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.watch.RunNotes;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka note}: what people say of a run. */
@Command(
    name = "note",
    description = {
      "Add a line or tags to the notes of a run, notes.md of its folder, and print them. The page"
          + " of the run and duoka runs show them.",
      "Example: duoka note runs/demo \"half the learning rate\" --tag sweep"
    })
final class NoteCommand implements Runnable {
  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Parameters(index = "1", arity = "0..1", paramLabel = "TEXT", description = "A line to add.")
  private String text = "";

  @Option(names = "--tag", paramLabel = "TAG", description = "A tag to add. Repeatable.")
  private List<String> tags = new ArrayList<>();

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    Path folder = new RunRegistry(StateFolder.standard()).find(run).folder();
    RunNotes notes = RunNotes.of(folder);
    if (!tags.isEmpty() || !text.isBlank()) {
      notes = notes.with(tags, text);
      notes.write(folder);
    }
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(Json.line(notes.json()));
    } else {
      out.print(notes.shown());
    }
    out.flush();
  }
}
