package dev.duoka.train.snapshot;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.NearestName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.node.ObjectNode;

/** The folder {@code snapshots} of a run's folder: a file for each snapshot, and the starts. */
public final class SnapshotStore {
  /** Within a run's folder. */
  public static final String FOLDER = "snapshots";

  private static final String STARTS = "starts.jsonl";

  private static final String ENDING = ".json";

  /** Fewer digits of a hash are no name of a snapshot. */
  private static final int LEAST_DIGITS = 4;

  private final Path run;
  private final Path folder;
  private final SnapshotLog log;

  /** The snapshots of a run, which may have none yet. */
  public SnapshotStore(Path run) {
    this.run = run;
    this.folder = run.resolve(FOLDER);
    this.log = new SnapshotLog(folder.resolve(STARTS));
  }

  /** Why there is no start, of a run that has none; a sentence. */
  public String whyNone() {
    Path starts = folder.resolve(STARTS);
    return Files.exists(starts)
        ? run + " has no start that can be read: " + starts + " is damaged."
        : run + " has no snapshots: it was started before duoka wrote them.";
  }

  /** All starts, in the order of time. */
  public List<RunStart> starts() {
    List<SnapshotLog.Entry> entries = log.entries();
    Lineage lineage = new Lineage(entries);
    Map<Integer, String> products = new HashMap<>();
    List<SnapshotLog.Start> starts = new ArrayList<>();
    for (SnapshotLog.Entry entry : entries) {
      switch (entry) {
        case SnapshotLog.Start start -> starts.add(start);
        case SnapshotLog.Products known -> products.put(known.start(), known.hash());
        case SnapshotLog.WentBack _ -> {}
      }
    }
    return starts.stream()
        .map(
            start ->
                new RunStart(
                    start.number(),
                    start.time(),
                    start.afterStep(),
                    start.hash(),
                    Optional.ofNullable(products.get(start.number())),
                    !lineage.has(start)))
        .toList();
  }

  Lineage lineage() {
    return new Lineage(log.entries());
  }

  /**
   * Reads a snapshot, or a document of products, by its whole hash.
   *
   * @throws DuokaException when it is gone or damaged
   */
  public RunSnapshot read(String hash) {
    Path file = folder.resolve(hash + ENDING);
    try {
      return RunSnapshot.parse(Files.readAllBytes(file), hash, file.toString());
    } catch (NoSuchFileException e) {
      throw new DuokaException(
          ErrorCode.IO, "there is no " + file, "It was deleted; duoka never deletes one", e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check the disk", e);
    }
  }

  /**
   * The start that a user means.
   *
   * @param name the number of a start, or at least four digits of a hash, of which the last start
   *     counts; empty for the last start
   * @throws DuokaException {@code USAGE} when there is none, or the digits fit several snapshots
   */
  public RunStart find(String name) {
    List<RunStart> starts = starts();
    if (starts.isEmpty()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the run " + run + " has no snapshots",
          "duoka train writes one at each start; this run was started before it did");
    }
    if (name.isEmpty()) {
      return starts.getLast();
    }
    Optional<RunStart> numbered =
        starts.stream().filter(it -> String.valueOf(it.number()).equals(name)).findFirst();
    return numbered.orElseGet(() -> byHash(name, starts));
  }

  private RunStart byHash(String prefix, List<RunStart> starts) {
    List<RunStart> fitting =
        prefix.length() < LEAST_DIGITS
            ? List.of()
            : starts.stream().filter(it -> it.hash().startsWith(prefix)).toList();
    Set<String> hashes =
        fitting.stream().map(RunStart::hash).collect(Collectors.toCollection(LinkedHashSet::new));
    if (hashes.size() == 1) {
      return fitting.getLast();
    }
    List<String> names =
        starts.stream().map(it -> RunSnapshot.shortened(it.hash())).distinct().toList();
    throw new DuokaException(
        ErrorCode.USAGE,
        hashes.isEmpty()
            ? "the run " + run + " has no start '" + prefix + "'"
            : "'" + prefix + "' fits " + hashes.size() + " snapshots of " + run,
        hashes.isEmpty()
            ? "Starts are 1 to "
                + starts.getLast().number()
                + "; of a hash give "
                + LEAST_DIGITS
                + " digits at least. "
                + NearestName.hint(prefix, names)
            : "Give more digits: " + String.join(", ", names));
  }

  /** Keeps a snapshot, unless it is there, and notes that the run starts with it now. */
  SnapshotLog.Start addStart(RunSnapshot snapshot, long afterStep) throws IOException {
    keep(snapshot);
    int number = 1 + starts().stream().mapToInt(RunStart::number).max().orElse(0);
    SnapshotLog.Start start =
        new SnapshotLog.Start(
            number, Instant.now().truncatedTo(ChronoUnit.MILLIS), afterStep, snapshot.hash());
    log.add(start);
    return start;
  }

  /** Keeps which algorithms a start's products are computed by. */
  String addProducts(SnapshotLog.Start start, ObjectNode products) throws IOException {
    RunSnapshot document = RunSnapshot.of(products);
    keep(document);
    log.add(new SnapshotLog.Products(start.number(), document.hash()));
    return document.hash();
  }

  /** Notes that the run has gone back, unless that is what was noted last. */
  void addRollback(long step, String setAside) throws IOException {
    List<SnapshotLog.Entry> entries = log.entries();
    boolean noted =
        !entries.isEmpty()
            && entries.getLast() instanceof SnapshotLog.WentBack last
            && last.setAside().equals(setAside);
    if (!noted) {
      Files.createDirectories(folder);
      log.add(
          new SnapshotLog.WentBack(Instant.now().truncatedTo(ChronoUnit.MILLIS), step, setAside));
    }
  }

  /** One that is there and whole is not written again. */
  private void keep(RunSnapshot snapshot) throws IOException {
    Path file = folder.resolve(snapshot.hash() + ENDING);
    byte[] bytes = snapshot.bytes();
    if (!Files.exists(file) || !Arrays.equals(Files.readAllBytes(file), bytes)) {
      Files.createDirectories(folder);
      CrashSafeFiles.write(file, bytes);
    }
  }
}
