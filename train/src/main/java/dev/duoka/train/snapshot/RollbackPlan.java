package dev.duoka.train.snapshot;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Plural;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.formats.setaside.MetricsCut;
import dev.duoka.formats.setaside.SetAside;
import dev.duoka.train.checkpoint.Checkpoint;
import dev.duoka.train.checkpoint.CheckpointStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/**
 * What going back to a step will undo. Making it changes nothing.
 *
 * @param run the run's folder
 * @param step whose checkpoint the run goes back to
 * @param why that step
 * @param start the start that took it, whose configuration is restored; empty where none was
 *     recorded, and the configuration stays
 * @param settings fields of the configuration that change back
 * @param staying what else differed at that start and is not the run's to restore
 * @param lastStep the last step that the run has taken
 * @param checkpoints steps of the checkpoints that are set aside, newest first
 * @param predictions names of the files that are set aside
 * @param setAside the folder that takes up what is undone
 */
public record RollbackPlan(
    Path run,
    long step,
    String why,
    Optional<RunStart> start,
    List<Difference> settings,
    List<Difference> staying,
    long lastStep,
    List<Long> checkpoints,
    List<String> predictions,
    Path setAside) {
  private static final String RUN_DIR = "config.run_dir";

  /** What the configuration decides, and so comes back with it. */
  private static final Pattern FOLLOWS = Pattern.compile("seed\\.|placement\\.");

  public RollbackPlan {
    settings = List.copyOf(settings);
    staying = List.copyOf(staying);
    checkpoints = List.copyOf(checkpoints);
    predictions = List.copyOf(predictions);
  }

  /**
   * Looks what there is to undo. Reads the whole checkpoint.
   *
   * @param to the step; empty for where the newest snapshot before the last one ended
   * @throws DuokaException {@code CHECKPOINT} where there is no whole checkpoint of the step,
   *     {@code USAGE} where no step was named and all starts have the same snapshot
   */
  static RollbackPlan of(Path run, OptionalLong to) {
    SnapshotStore store = new SnapshotStore(run);
    CheckpointStore checkpoints = new CheckpointStore(run);
    Lineage lineage = store.lineage();
    long step = to.isPresent() ? to.getAsLong() : beforeNewest(run, lineage, checkpoints);
    checkpoints.require(step);
    List<RunStart> starts = store.starts();
    Optional<RunStart> start = lineage.of(step).map(it -> starts.get(indexOf(it, starts)));
    List<Difference> settings =
        start.map(it -> settings(run, store.read(it.hash()))).orElse(List.of());
    try {
      return new RollbackPlan(
          run,
          step,
          to.isPresent() ? "as asked for" : "where the newest snapshot before the last one ended",
          start,
          settings,
          start.map(it -> staying(store, it, starts.getLast())).orElse(List.of()),
          Math.max(
              MetricsCut.lastStep(run.resolve(RunFileNames.METRICS)).orElse(0),
              checkpoints.list().stream().mapToLong(Checkpoint::step).max().orElse(0)),
          checkpoints.list().stream().map(Checkpoint::step).filter(it -> it > step).toList(),
          predictions(run, step),
          SetAside.fresh(run, String.format(Locale.ROOT, "after-step-%08d", step)));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + run + ": " + IoReason.of(e), "Check the disk", e);
    }
  }

  private static int indexOf(SnapshotLog.Start start, List<RunStart> starts) {
    return starts.stream().map(RunStart::number).toList().indexOf(start.number());
  }

  private static long beforeNewest(Path run, Lineage lineage, CheckpointStore checkpoints) {
    return lineage
        .firstOfNewest()
        .map(SnapshotLog.Start::afterStep)
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.USAGE,
                    "all that " + run + " stands on was started with the same snapshot",
                    "Name a step with --to; there are checkpoints of steps "
                        + checkpoints.list().reversed().stream()
                            .map(checkpoint -> String.valueOf(checkpoint.step()))
                            .collect(Collectors.joining(", "))));
  }

  private static List<Difference> settings(Path run, RunSnapshot target) {
    Path file = run.resolve(RunFileNames.CONFIG);
    try {
      SortedMap<String, String> now =
          Files.exists(file)
              ? RunSnapshot.configFields(Files.readString(file), file.toString())
              : new TreeMap<>();
      SortedMap<String, String> then =
          RunSnapshot.configFields(target.config(), "the snapshot " + target.shortHash());
      now.remove(RUN_DIR);
      then.remove(RUN_DIR);
      return SnapshotComparison.of(now, then).differences();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
    }
  }

  private static List<Difference> staying(SnapshotStore store, RunStart then, RunStart now) {
    return SnapshotComparison.of(
            SnapshotComparison.Side.of(store, then), SnapshotComparison.Side.of(store, now))
        .differences()
        .stream()
        .filter(difference -> !difference.key().startsWith(RunSnapshot.CONFIG + "."))
        .filter(difference -> !FOLLOWS.matcher(difference.key()).lookingAt())
        .filter(difference -> difference.effect() != Effect.NEITHER)
        .toList();
  }

  /** Those of sessions that began at the step or later. */
  private static List<String> predictions(Path run, long step) throws IOException {
    try (Stream<Path> files = Files.list(run)) {
      return files
          .filter(
              file ->
                  PredictionFile.stepsBefore(file)
                      .filter(before -> before > 0 && before >= step)
                      .isPresent())
          .map(file -> file.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  /** Whether there is nothing to undo. */
  public boolean isEmpty() {
    return lastStep <= step && checkpoints.isEmpty() && settings.isEmpty();
  }

  /** How many steps are undone. */
  public long steps() {
    return Math.max(0, lastStep - step);
  }

  /** What is undone, for people. */
  public List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(run + " goes back to step " + step + ", " + why);
    lines.add(
        "steps        "
            + (steps() == 0
                ? "none is undone"
                : Plural.of(steps(), "step") + " undone, " + (step + 1) + " to " + lastStep));
    lines.add(
        "checkpoints  "
            + (checkpoints.isEmpty()
                ? "none is set aside"
                : "set aside: those of steps "
                    + checkpoints.reversed().stream()
                        .map(String::valueOf)
                        .collect(Collectors.joining(", "))));
    if (!predictions.isEmpty()) {
      lines.add("predictions  set aside: " + String.join(", ", predictions));
    }
    lines.add(
        "settings     "
            + (start.isEmpty()
                ? "those of step " + step + " were not recorded: run.yaml stays as it is"
                : settings.isEmpty()
                    ? "the same as before"
                    : "back to those of start "
                        + start.get().number()
                        + " ("
                        + RunSnapshot.shortened(start.get().hash())
                        + "):"));
    settings.forEach(it -> lines.add("  " + it.text() + "  (" + it.effect().text() + ")"));
    if (!staying.isEmpty()) {
      lines.add("not restored, since it is not the run's: what differs since that start");
      staying.forEach(it -> lines.add("  " + it.text() + "  (" + it.effect().text() + ")"));
    }
    return lines;
  }

  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("run", run.toString());
    json.put("step", step);
    json.put("why", why);
    start.ifPresentOrElse(it -> json.put("snapshot", it.hash()), () -> json.putNull("snapshot"));
    json.put("steps_undone", steps());
    json.put("last_step", lastStep);
    checkpoints.forEach(json.putArray("checkpoints_set_aside")::add);
    predictions.forEach(json.putArray("predictions_set_aside")::add);
    settings.forEach(it -> json.withArray("settings").add(it.json()));
    staying.forEach(it -> json.withArray("not_restored").add(it.json()));
    json.put("set_aside", setAside.toString());
    return json;
  }
}
