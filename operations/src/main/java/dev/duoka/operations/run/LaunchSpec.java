package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a supervised run is started with, and what its supervisor may do.
 *
 * @param command starts a worker; {@code --resume} is added where there is something to resume
 * @param directory where the workers start
 * @param place where this node is among those of the run
 * @param workers how many this node has
 * @param ranks how many ranks all workers of all nodes hold together
 * @param maxRestarts how often the run is started again at most
 * @param graceSeconds how long a run may take to save after SIGTERM; empty for as long as it takes
 * @param hangSeconds without progress before a rank counts as hanging, at least
 * @param warmupHangSeconds the same as long as few steps were seen
 * @param remedies what may be changed when a restart does not help
 * @param cards that the workers use, as {@code CUDA_VISIBLE_DEVICES} names them
 * @param waitsForCards whether the run waits until nobody else uses them
 * @param notified who hears how the run goes
 */
public record LaunchSpec(
    List<String> command,
    Path directory,
    NodePlace place,
    int workers,
    int ranks,
    int maxRestarts,
    OptionalInt graceSeconds,
    int hangSeconds,
    int warmupHangSeconds,
    RemedyPlan remedies,
    List<String> cards,
    boolean waitsForCards,
    NotifyTarget notified) {
  /** How often a run is started again by default. */
  public static final int DEFAULT_RESTARTS = 3;

  /** The least time without progress that is a hang, in a run that is known. */
  public static final int DEFAULT_HANG_SECONDS = 5;

  /** The same in a run that has just begun. */
  public static final int DEFAULT_WARMUP_HANG_SECONDS = 30;

  public LaunchSpec {
    command = List.copyOf(command);
    cards = List.copyOf(cards);
  }

  /** The same run on fewer cards, those of the given ones that are needed. */
  public LaunchSpec on(List<String> left, FewerCards fewer) {
    return new LaunchSpec(
        command,
        directory,
        place,
        fewer.workers(),
        fewer.ranks(),
        maxRestarts,
        graceSeconds,
        hangSeconds,
        warmupHangSeconds,
        remedies,
        left.subList(0, fewer.cards()),
        waitsForCards,
        notified);
  }

  /** How many processes the run has on all nodes. */
  public int processes() {
    return workers * place.nodes();
  }

  /** Writes it where the supervisor finds it. */
  public void write(SupervisionFolder folder) {
    ObjectNode json = Json.object();
    ArrayNode words = json.putArray("command");
    command.forEach(words::add);
    json.put("directory", directory.toString());
    json.put("nodes", place.nodes());
    json.put("node", place.node());
    json.put("rendezvous", place.rendezvous());
    json.put("placed_by", place.rule());
    json.put("workers", workers);
    json.put("ranks", ranks);
    json.put("max_restarts", maxRestarts);
    graceSeconds.ifPresent(seconds -> json.put("grace_seconds", seconds));
    json.put("hang_seconds", hangSeconds);
    json.put("warmup_hang_seconds", warmupHangSeconds);
    json.set("remedies", remedies.json());
    ArrayNode used = json.putArray("cards");
    cards.forEach(used::add);
    json.put("waits_for_cards", waitsForCards);
    json.set("notify", notified.json());
    SupervisionFolder.write(folder.launch(), json);
  }

  /**
   * Reads what {@link #write} has written.
   *
   * @throws DuokaException when there is none
   */
  public static LaunchSpec read(SupervisionFolder folder) {
    JsonNode json =
        SupervisionFolder.read(folder.launch())
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.USAGE,
                        folder.run() + " holds no supervised run",
                        "Start one with duoka train RUN.yaml --supervise"));
    return new LaunchSpec(
        words(json.path("command")),
        Path.of(json.path("directory").asString(".")),
        new NodePlace(
            json.path("nodes").asInt(1),
            json.path("node").asInt(0),
            json.path("rendezvous").asString(""),
            json.path("placed_by").asString("")),
        json.path("workers").asInt(1),
        json.path("ranks").asInt(1),
        json.path("max_restarts").asInt(DEFAULT_RESTARTS),
        json.has("grace_seconds")
            ? OptionalInt.of(json.path("grace_seconds").asInt(0))
            : OptionalInt.empty(),
        json.path("hang_seconds").asInt(DEFAULT_HANG_SECONDS),
        json.path("warmup_hang_seconds").asInt(DEFAULT_WARMUP_HANG_SECONDS),
        RemedyPlan.of(json.path("remedies")),
        words(json.path("cards")),
        json.path("waits_for_cards").asBoolean(false),
        NotifyTarget.of(json.path("notify")));
  }

  private static List<String> words(JsonNode array) {
    List<String> words = new ArrayList<>();
    array.forEach(word -> words.add(word.asString("")));
    return words;
  }
}
