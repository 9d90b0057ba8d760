package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.ExitStatus;
import dev.duoka.operations.run.RunEnd;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.train.run.RunFolder;
import dev.duoka.train.snapshot.Rollback;
import dev.duoka.train.snapshot.RollbackPlan;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka snapshot rollback}: takes a run back to an earlier step. */
@Command(
    name = "rollback",
    description = {
      "Take a run back to a checkpoint, with the configuration that wrote it. Later checkpoints,"
          + " metrics, predictions and the log's end go to a folder set-aside of the run, which"
          + " duoka watch opens like a run; nothing is deleted. Killed half-way, the same command"
          + " or train --resume finishes it.",
      "Exit status 0 also when there was nothing to undo; 1 when there is no such checkpoint or the"
          + " run goes on.",
      "Example: duoka snapshot rollback runs/demo --to 200"
    })
final class SnapshotRollbackCommand implements Runnable {
  @Parameters(
      index = "0",
      paramLabel = "RUN",
      description = "A run's folder, or its name as duoka runs shows it.")
  private String run = "";

  @Option(
      names = "--to",
      paramLabel = "N",
      description =
          "The step of the checkpoint. Default: where the newest snapshot before the last one"
              + " ended.")
  private @Nullable Long to;

  @Option(names = "--dry-run", description = "Say what would be undone, and change nothing.")
  private boolean dryRun;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    RunRegistry.Entry entry = new RunRegistry(StateFolder.standard()).find(run);
    Path folder = SnapshotCommand.folder(run);
    OptionalLong step = to == null ? OptionalLong.empty() : OptionalLong.of(to);
    PrintWriter out = spec.commandLine().getOut();
    if (dryRun) {
      if (Rollback.isPending(folder)) {
        new Notices(spec.commandLine().getErr())
            .accept("a rollback was interrupted here; without --dry-run it is finished first");
      }
      RollbackPlan plan = Rollback.plan(folder, step);
      if (json) {
        out.println(Json.line(plan.json().put("done", false)));
      } else {
        plan.lines().forEach(out::println);
        out.println("Nothing was changed.");
      }
      out.flush();
      return;
    }
    requireEnded(entry);
    Optional<Rollback.Done> done =
        RunFolder.rollBack(folder, step, new Notices(spec.commandLine().getErr()));
    done.ifPresent(it -> note(entry.supervision(), it));
    if (json) {
      ObjectNode root = done.map(Rollback.Done::json).orElseGet(Json::object);
      out.println(Json.line(root.put("done", done.isPresent())));
    } else if (done.isEmpty()) {
      out.println("There is nothing to undo: " + folder + " stands there already.");
    } else {
      done.get().lines().forEach(out::println);
      out.println("kept in      " + done.get().json().path("set_aside").asString(""));
      out.println("Go on with   ./duoka train " + folder.resolve(RunFolder.CONFIG) + " --resume");
    }
    out.flush();
  }

  private static void requireEnded(RunRegistry.Entry entry) {
    if (RunStatus.of(entry).isActive()) {
      throw new DuokaException(
          ErrorCode.IO,
          "the run " + entry.folder() + " goes on: it is " + RunStatus.of(entry).state(),
          "duoka stop " + entry.folder() + " lets it save and end");
    }
  }

  /** Those who ask how a supervised run ended hear of it. */
  private static void note(SupervisionFolder supervision, Rollback.Done done) {
    if (supervision.wasUsed()) {
      String text = "taken back to step " + done.step() + " by duoka snapshot rollback";
      new RunRecord(supervision).add(supervision.attempts(), "rollback", text);
      new RunEnd(ExitStatus.SAVED, true, text).write(supervision);
    }
  }
}
