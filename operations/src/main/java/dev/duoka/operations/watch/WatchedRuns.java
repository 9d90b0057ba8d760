package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * The runs that a page can show: one that was named, and those in the user's list, each opened when
 * somebody asks for it and read on as long as somebody does. A run is asked for by its number in
 * the list, never by a path. Thread-safe.
 */
public final class WatchedRuns {
  private static final int MOST_OPEN = 12;
  private static final int MOST_LISTED = 200;

  /** Who asks for a run first waits for so much of it; of long ones there is more later. */
  private static final long FIRST_READ_NANOS = 500_000_000L;

  private static final long LOOKED_AT_NANOS = 60_000_000_000L;

  private final RunRegistry registry;
  private final Optional<RunRegistry.Entry> named;
  private final Map<String, WatchedRun> open = new HashMap<>();

  private WatchedRuns(RunRegistry registry, Optional<RunRegistry.Entry> named) {
    this.registry = registry;
    this.named = named;
  }

  /**
   * A run, and all that are listed.
   *
   * @throws DuokaException when the run has no folder
   */
  public static WatchedRuns of(RunRegistry registry, RunRegistry.Entry named) {
    WatchedRuns runs = new WatchedRuns(registry, Optional.of(named));
    runs.open.put(named.id(), new WatchedRun(named, registry.state()));
    return runs;
  }

  /** Those that are listed. */
  static WatchedRuns listed(RunRegistry registry) {
    return new WatchedRuns(registry, Optional.empty());
  }

  /**
   * A run; empty where there is none of that name, or its folder is not this user's.
   *
   * @param id as {@link RunRegistry.Entry#id} has it; empty for the one that was named, else the
   *     newest
   */
  Optional<WatchedRun> find(Optional<String> id) {
    Optional<RunRegistry.Entry> entry =
        id.isEmpty()
            ? named.or(() -> entries().stream().findFirst())
            : entries().stream().filter(it -> it.id().equals(id.get())).findFirst();
    return entry.flatMap(this::open);
  }

  private List<RunRegistry.Entry> entries() {
    List<RunRegistry.Entry> listed =
        registry.entries().stream()
            .filter(it -> named.map(RunRegistry.Entry::id).filter(it.id()::equals).isEmpty())
            .filter(it -> isOwn(it.folder()))
            .limit(MOST_LISTED)
            .toList();
    return Stream.concat(named.stream(), listed.stream()).toList();
  }

  private static boolean isOwn(Path folder) {
    try {
      return Files.getOwner(folder)
          .equals(Files.getOwner(Path.of("/proc/self"), LinkOption.NOFOLLOW_LINKS));
    } catch (IOException e) {
      return false; // it is being deleted
    }
  }

  private synchronized Optional<WatchedRun> open(RunRegistry.Entry entry) {
    WatchedRun run = open.get(entry.id());
    if (run == null) {
      try {
        run = new WatchedRun(entry, registry.state());
      } catch (DuokaException e) {
        return Optional.empty(); // it is being deleted
      }
      run.look();
      run.readFor(FIRST_READ_NANOS);
      open.put(entry.id(), run);
      closeLongest();
    }
    run.ask();
    return Optional.of(run);
  }

  private void closeLongest() {
    while (open.size() > MOST_OPEN) {
      open.entrySet().stream()
          .max(Comparator.comparingLong(it -> it.getValue().unaskedNanos()))
          .map(Map.Entry::getKey)
          .ifPresent(open::remove);
    }
  }

  /** Reads on in all runs that somebody looks at. Blocks as long as the disk takes. */
  void readOn() {
    List<WatchedRun> looked;
    synchronized (this) {
      looked = open.values().stream().filter(it -> it.unaskedNanos() < LOOKED_AT_NANOS).toList();
    }
    looked.forEach(WatchedRun::look);
    boolean more = true;
    while (more) {
      more = false;
      for (WatchedRun run : looked) {
        more |= run.readOn();
      }
    }
  }

  /** Whether one of them goes on. */
  boolean anyActive() {
    return entries().stream().anyMatch(it -> statusOf(it).filter(RunStatus::isActive).isPresent());
  }

  private static Optional<RunStatus> statusOf(RunRegistry.Entry entry) {
    try {
      return Optional.of(RunStatus.of(entry));
    } catch (DuokaException | DateTimeException e) { // what a damaged folder says is not known
      return Optional.empty();
    }
  }

  private static List<String> tagsOf(RunRegistry.Entry entry) {
    try {
      return RunNotes.of(entry.folder()).tags();
    } catch (DuokaException e) { // its page says why
      return List.of();
    }
  }

  /** The list, the newest first. */
  ObjectNode json() {
    ObjectNode json = Json.object();
    named.ifPresent(it -> json.put("named", it.id()));
    ArrayNode runs = json.putArray("runs");
    for (RunRegistry.Entry entry : entries()) {
      ObjectNode one = runs.addObject();
      one.put("id", entry.id());
      one.put("name", RedactedText.line(entry.name()));
      one.put("started", entry.started().equals(Instant.EPOCH) ? "" : entry.started().toString());
      ArrayNode tags = one.putArray("tags");
      tagsOf(entry).forEach(tags::add);
      one.put("state", statusOf(entry).map(it -> WatchedRun.state(entry, it)).orElse("unknown"));
    }
    return json;
  }
}
