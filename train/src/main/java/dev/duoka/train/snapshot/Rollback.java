package dev.duoka.train.snapshot;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.setaside.MetricsCut;
import dev.duoka.formats.setaside.SetAside;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointStore;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Takes a run back to an earlier step: its configuration, its checkpoints, its metrics. Nothing is
 * deleted. For who holds the run's lock.
 *
 * <p>First everything that the run loses is copied, beside the run; then one file, {@value
 * #INTENT}, says in one rename that the run goes back; then it is done. Killed before that rename,
 * the run is as before; killed after it, whoever opens the run for writing next, be it this or
 * {@code train --resume}, does the rest, each part of which may be done twice.
 */
public final class Rollback {
  /** In the run's folder while a rollback is carried out. */
  static final String INTENT = "rollback.json";

  /** What is in a folder before anything was moved there. */
  private static final Set<String> COPIES =
      Set.of(
          RunFileNames.METRICS,
          RunFileNames.ANSWERS,
          RunFileNames.CONFIG,
          RunFileNames.PLACEMENT,
          INTENT,
          INTENT + ".tmp");

  private static final String STOPPED = "ended: stopped by a rollback to step ";

  private final Path run;
  private final Consumer<String> progress;

  private Rollback(Path run, Consumer<String> progress) {
    this.run = run;
    this.progress = progress;
  }

  /**
   * What a rollback has undone.
   *
   * @param step that the run stands on now
   * @param lines for people
   * @param json for programs
   */
  public record Done(long step, List<String> lines, ObjectNode json) {}

  /** What a rollback would undo; changes nothing. */
  public static RollbackPlan plan(Path run, OptionalLong to) {
    return RollbackPlan.of(run, to);
  }

  /** Whether one was begun and not finished. */
  public static boolean isPending(Path run) {
    return Files.exists(run.resolve(INTENT));
  }

  /**
   * Goes back; one that was begun before is finished first, and is all where it was to the same
   * step, or none is named.
   *
   * @param to the step; empty for where the newest snapshot before the last one ended
   * @param progress hears of each part that is done
   * @return empty when there was nothing to undo
   */
  public static Optional<Done> carryOut(Path run, OptionalLong to, Consumer<String> progress) {
    Rollback rollback = new Rollback(run, progress);
    Optional<Done> before = finish(run, progress);
    if (before.isPresent() && (to.isEmpty() || to.getAsLong() == before.get().step())) {
      return before;
    }
    try {
      SetAside.deletePrepared(run, name -> COPIES.contains(name) || LogCut.isLog(name));
      new CheckpointStore(run).cleanUp(event -> progress.accept(event.text()));
      RollbackPlan plan = plan(run, to);
      if (plan.isEmpty()) {
        return Optional.empty();
      }
      rollback.prepare(plan);
    } catch (IOException e) {
      throw failed(run, "nothing has changed", e);
    }
    return finish(run, progress);
  }

  /**
   * Finishes a rollback that was begun; empty where there is none.
   *
   * @param progress hears of each part that is done
   */
  public static Optional<Done> finish(Path run, Consumer<String> progress) {
    Path intent = run.resolve(INTENT);
    if (!Files.exists(intent)) {
      return Optional.empty();
    }
    try {
      return Optional.of(new Rollback(run, progress).undo(Json.parse(intent, ErrorCode.FORMAT)));
    } catch (IOException e) {
      throw failed(run, "it is half done, and the same command finishes it", e);
    }
  }

  private static DuokaException failed(Path run, String state, IOException e) {
    return new DuokaException(
        IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot take " + run + " back: " + IoReason.of(e) + "; " + state,
        "Check the disk, then run the command again",
        e);
  }

  /** Copies what the run will lose, then says that it goes back. */
  private void prepare(RollbackPlan plan) throws IOException {
    Path aside = SetAside.preparing(plan.setAside());
    Files.createDirectories(aside);
    MetricsCut.copyAfter(
        run.resolve(RunFileNames.METRICS), plan.step(), aside.resolve(RunFileNames.METRICS));
    if (Files.exists(run.resolve(RunFileNames.ANSWERS))) {
      MetricsCut.copyAfter(
          run.resolve(RunFileNames.ANSWERS), plan.step(), aside.resolve(RunFileNames.ANSWERS));
    }
    copy(RunFileNames.CONFIG, aside);
    copy(RunFileNames.PLACEMENT, aside);
    new LogCut(run, plan.step()).copyAfter(aside);
    progress.accept("what is undone is copied to " + aside);
    ObjectNode intent = Json.object();
    intent.put("step", plan.step());
    plan.start()
        .map(start -> new SnapshotStore(run).read(start.hash()).config())
        .ifPresent(config -> intent.put("config", config));
    intent.put("set_aside", String.valueOf(plan.setAside().getFileName()));
    plan.predictions().forEach(intent.putArray("predictions")::add);
    plan.lines().forEach(intent.putArray("lines")::add);
    intent.set("undone", plan.json());
    byte[] bytes = Json.pretty(intent).getBytes(StandardCharsets.UTF_8);
    CrashSafeFiles.write(aside.resolve(INTENT), bytes);
    CrashSafeFiles.syncFolder(run.resolve(SetAside.FOLDER));
    CrashSafeFiles.write(run.resolve(INTENT), bytes);
    progress.accept("the rollback is decided");
  }

  private void copy(String name, Path into) throws IOException {
    Path file = run.resolve(name);
    if (Files.exists(file)) {
      Path copy = into.resolve(name);
      Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
      CrashSafeFiles.syncFile(copy);
    }
  }

  /** Each part may have been done before. */
  private Done undo(JsonNode intent) throws IOException {
    long step = intent.path("step").asLong(0);
    Path folder = run.resolve(SetAside.FOLDER).resolve(intent.path("set_aside").asString(""));
    Path preparing = SetAside.preparing(folder);
    Path aside = Files.exists(preparing) ? preparing : folder;
    for (Checkpoint checkpoint : new CheckpointStore(run).list()) {
      if (checkpoint.step() > step) {
        SetAside.moveCheckpoint(checkpoint.folder(), aside);
        progress.accept("the checkpoint of step " + checkpoint.step() + " is set aside");
      }
    }
    for (JsonNode name : intent.path("predictions")) {
      Path file = run.resolve(name.asString(""));
      if (Files.exists(file)) {
        CrashSafeFiles.moveIntoPlace(file, aside.resolve(name.asString("")));
        progress.accept(name.asString("") + " is set aside");
      }
    }
    MetricsCut.keepUpTo(run.resolve(RunFileNames.METRICS), step);
    progress.accept("the metrics end with step " + step);
    if (Files.exists(run.resolve(RunFileNames.ANSWERS))) {
      MetricsCut.keepUpTo(run.resolve(RunFileNames.ANSWERS), step);
      progress.accept("the answers end with step " + step);
    }
    new LogCut(run, step).keepUpTo(STOPPED + step);
    progress.accept("the logs end with step " + step);
    if (intent.has("config")) {
      CrashSafeFiles.write(
          run.resolve(RunFileNames.CONFIG),
          intent.path("config").asString("").getBytes(StandardCharsets.UTF_8));
      progress.accept("the configuration is that of step " + step);
    }
    new SnapshotStore(run).addRollback(step, SetAside.FOLDER + "/" + folder.getFileName());
    progress.accept("the rollback is listed");
    if (aside.equals(preparing)) {
      CrashSafeFiles.moveIntoPlace(preparing, folder);
    }
    progress.accept("what was undone is in " + folder);
    Files.deleteIfExists(run.resolve(INTENT));
    CrashSafeFiles.syncFolder(run);
    List<String> lines = new ArrayList<>();
    intent.path("lines").forEach(line -> lines.add(line.asString("")));
    ObjectNode json = intent.path("undone") instanceof ObjectNode undone ? undone : Json.object();
    return new Done(step, List.copyOf(lines), json);
  }
}
