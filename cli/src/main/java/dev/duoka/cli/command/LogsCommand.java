package dev.duoka.cli.command;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.VisibleText;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.run.WorkerFolder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka logs}: what a run has printed, and what was done to it. */
@Command(
    name = "logs",
    description = {
      "Print what a run has said: what its supervisor has seen and done, then the output of the"
          + " workers of its last attempt; of a run without a supervisor its log.",
      "Example: duoka logs runs/demo --attempt 1 --worker 0"
    })
final class LogsCommand implements Runnable {
  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Option(
      names = "--attempt",
      paramLabel = "N",
      description = "Of this attempt, from 1. Default: the last one.")
  private @Nullable Integer attempt;

  @Option(
      names = "--worker",
      paramLabel = "N",
      description = "Of this worker alone, from 0. Default: all.")
  private @Nullable Integer worker;

  @Option(names = "--json", description = "Print one JSON object with the files and the record.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    RunRegistry.Entry entry = new RunRegistry(StateFolder.standard()).find(run);
    SupervisionFolder folder = entry.supervision();
    PrintWriter out = spec.commandLine().getOut();
    int number = attempt == null ? folder.attempts() : attempt;
    if (attempt != null && folder.workers(attempt).isEmpty()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the run " + entry.folder() + " has no attempt " + attempt,
          "It has " + folder.attempts());
    }
    if (json) {
      out.println(Json.line(json(folder, number)));
    } else if (number == 0) {
      Path log = entry.folder().resolve("run.log");
      if (!Files.exists(log)) {
        throw new DuokaException(
            ErrorCode.USAGE,
            "the run " + entry.folder() + " has said nothing: it has no run.log",
            "Look what is in its folder");
      }
      print(log, out);
    } else {
      for (RunRecord.Entry line : new RunRecord(folder).entries()) {
        out.println(
            line.time() + " attempt " + line.attempt() + " " + line.event() + ": " + line.text());
      }
      for (WorkerFolder each : folder.workers(number)) {
        if (worker == null || worker == each.number()) {
          out.println("--- attempt " + number + ", worker " + each.number() + " ---");
          print(each.standardError(), out);
          print(each.standardOutput(), out);
        }
      }
    }
    out.flush();
  }

  private static void print(Path file, PrintWriter out) {
    if (!Files.exists(file)) {
      return;
    }
    // Workers print what they like: bytes that are no text, and what a terminal would obey.
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(Files.newInputStream(file), UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        out.println(VisibleText.withLayout(line));
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
    }
  }

  private static ObjectNode json(SupervisionFolder folder, int attempt) {
    ObjectNode json = Json.object();
    json.put("folder", folder.run().toString());
    json.put("attempt", attempt);
    ArrayNode record = json.putArray("record");
    new RunRecord(folder).entries().forEach(entry -> record.add(entry.json()));
    ArrayNode files = json.putArray("files");
    if (attempt == 0) {
      files.add(folder.run().resolve("run.log").toString());
    }
    for (WorkerFolder worker : folder.workers(attempt)) {
      files.add(worker.standardError().toString());
      files.add(worker.standardOutput().toString());
    }
    return json;
  }
}
