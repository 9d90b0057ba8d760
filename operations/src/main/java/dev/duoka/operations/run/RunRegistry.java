package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.NearestName;
import dev.duoka.base.Sha256;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.ProcessIdentity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** A user's runs on this machine: a small file for each, named after the run's folder. */
public final class RunRegistry {
  private final StateFolder state;

  /** The registry in a user's folder of states. */
  public RunRegistry(StateFolder state) {
    this.state = state;
  }

  /** The user's folder of states that it is in. */
  public StateFolder state() {
    return state;
  }

  /**
   * A run that was started.
   *
   * @param folder where it writes
   * @param started when its last session began
   * @param node this machine's number among those of the run
   * @param process of a run that nobody supervises; empty for a supervised one
   */
  public record Entry(Path folder, Instant started, int node, Optional<ProcessIdentity> process) {
    /** What its supervisor writes. */
    public SupervisionFolder supervision() {
      return new SupervisionFolder(folder, node);
    }

    /** What it is called in addresses: 16 hexadecimal digits, of its folder. */
    public String id() {
      return RunRegistry.id(folder);
    }

    /** What it is called: the name of its folder. */
    public String name() {
      return String.valueOf(folder.getFileName());
    }
  }

  /** Lists a run; one of the same folder is replaced. */
  public void add(Path run, int node, Optional<ProcessIdentity> process) {
    Path folder = run.toAbsolutePath().normalize();
    ObjectNode json = Json.object();
    json.put("folder", folder.toString());
    json.put("started", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    json.put("node", node);
    process.ifPresent(identity -> json.set("process", identity.json()));
    SupervisionFolder.write(state.runs().resolve(id(folder) + ".json"), json);
  }

  private static String id(Path folder) {
    return HexFormat.of()
        .formatHex(Sha256.of(folder.toString().getBytes(StandardCharsets.UTF_8)), 0, 8);
  }

  /** What the run of a folder is called in addresses, be it listed or not. */
  public static String idOf(Path run) {
    return id(run.toAbsolutePath().normalize());
  }

  /** All runs whose folder is still there, newest first; without those of {@link #damaged}. */
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    for (Path file : files()) {
      try {
        read(file).ifPresent(entries::add);
      } catch (DuokaException _) { // which run it is of, damaged() cannot tell, either
      }
    }
    entries.sort(Comparator.comparing(Entry::started).reversed());
    return entries;
  }

  /** Files of the list that name no run: cut short, say. */
  public List<Path> damaged() {
    List<Path> damaged = new ArrayList<>();
    for (Path file : files()) {
      try {
        read(file);
      } catch (DuokaException _) {
        if (Files.exists(file)) { // not taken off the list meanwhile
          damaged.add(file);
        }
      }
    }
    return damaged;
  }

  private List<Path> files() {
    try (Stream<Path> files = Files.list(state.runs())) {
      return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read " + state.runs() + ": " + IoReason.of(e),
          "Check its permissions",
          e);
    }
  }

  /**
   * The run that a user means: its folder, be it listed or not, or the name of one that is listed,
   * the newest where several have it.
   *
   * @throws DuokaException {@code USAGE} when there is none
   */
  public Entry find(String run) {
    List<Entry> entries = entries();
    Path folder = Path.of(run).toAbsolutePath().normalize();
    return entries.stream()
        .filter(entry -> entry.folder().equals(folder))
        .findFirst()
        .or(() -> entries.stream().filter(entry -> entry.name().equals(run)).findFirst())
        .or(
            () ->
                Files.isRegularFile(new SupervisionFolder(folder).launch())
                        || Files.exists(folder.resolve("metrics.jsonl"), LinkOption.NOFOLLOW_LINKS)
                    ? Optional.of(new Entry(folder, Instant.EPOCH, 0, Optional.empty()))
                    : Optional.empty())
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.USAGE,
                    "there is no run '" + run + "'",
                    entries.isEmpty()
                        ? "No run was started here; name a run's folder"
                        : NearestName.nearest(run, entries.stream().map(Entry::name).toList())
                            + " './duoka runs' lists all, newest first"));
  }

  /**
   * A run whose folder is gone, and not yet to be made, is taken off the list.
   *
   * @throws DuokaException {@code FORMAT} when the file is damaged
   */
  private static Optional<Entry> read(Path file) {
    JsonNode json = Json.parse(file, ErrorCode.FORMAT);
    try {
      Path folder = Path.of(json.path("folder").asString(""));
      Instant started = Instant.parse(json.path("started").asString("1970-01-01T00:00:00Z"));
      if (!folder.isAbsolute()) {
        throw damaged(file, null);
      }
      Optional<ProcessIdentity> process =
          json.has("process")
              ? Optional.of(ProcessIdentity.of(json.path("process")))
              : Optional.empty();
      if (!Files.isDirectory(folder)) {
        if (process.filter(ProcessIdentity::isAlive).isEmpty()) {
          Files.deleteIfExists(file);
        }
        return Optional.empty();
      }
      return Optional.of(new Entry(folder, started, json.path("node").asInt(0), process));
    } catch (InvalidPathException | DateTimeParseException e) {
      throw damaged(file, e);
    } catch (IOException _) { // it stays on the list, and its folder is gone
      return Optional.empty();
    }
  }

  private static DuokaException damaged(Path file, @Nullable Exception cause) {
    return new DuokaException(
        ErrorCode.FORMAT,
        file + " names no run",
        "Remove it: the run itself is in a folder of its own",
        cause);
  }
}
