package dev.duoka.train.snapshot;

import dev.duoka.formats.json.Json;
import java.time.Instant;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/**
 * A start of a run: new, resumed, or started again by its supervisor.
 *
 * @param number from 1, in the order of time
 * @param time when it began
 * @param afterStep the step that the run had taken last
 * @param hash of its snapshot
 * @param products hash of the document that names the algorithms of its products; empty where they
 *     were not known when it ended, or a CPU computed
 * @param undone whether a later start or a rollback took back every step of it
 */
public record RunStart(
    int number,
    Instant time,
    long afterStep,
    String hash,
    Optional<String> products,
    boolean undone) {
  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("start", number);
    json.put("time", time.toString());
    json.put("after_step", afterStep);
    json.put("hash", hash);
    products.ifPresentOrElse(it -> json.put("products", it), () -> json.putNull("products"));
    json.put("undone", undone);
    return json;
  }
}
