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
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
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

  /** All runs whose folder is still there, newest first. */
  public List<Entry> entries() {
    List<Entry> entries = new ArrayList<>();
    try (Stream<Path> files = Files.list(state.runs())) {
      files
          .filter(file -> file.toString().endsWith(".json"))
          .flatMap(file -> read(file).stream())
          .forEach(entries::add);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read " + state.runs() + ": " + IoReason.of(e),
          "Check its permissions",
          e);
    }
    entries.sort(Comparator.comparing(Entry::started).reversed());
    return entries;
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
                        : NearestName.hint(run, entries.stream().map(Entry::name).toList())));
  }

  /** A run whose folder is gone, and not yet to be made, is taken off the list. */
  private static Optional<Entry> read(Path file) {
    try {
      JsonNode json = Json.parse(file, ErrorCode.FORMAT);
      Optional<ProcessIdentity> process =
          json.has("process")
              ? Optional.of(ProcessIdentity.of(json.path("process")))
              : Optional.empty();
      if (!Files.isDirectory(Path.of(json.path("folder").asString("")))) {
        if (process.filter(ProcessIdentity::isAlive).isEmpty()) {
          Files.deleteIfExists(file);
        }
        return Optional.empty();
      }
      return Optional.of(
          new Entry(
              Path.of(json.path("folder").asString("")),
              Instant.parse(json.path("started").asString("1970-01-01T00:00:00Z")),
              json.path("node").asInt(0),
              process));
    } catch (DuokaException | IOException e) {
      return Optional.empty(); // damaged: it names no run
    }
  }
}
