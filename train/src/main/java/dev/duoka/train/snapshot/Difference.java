package dev.duoka.train.snapshot;

import dev.duoka.formats.json.Json;
import tools.jackson.databind.node.ObjectNode;

/**
 * One field that differs between two snapshots.
 *
 * @param key its dotted path, for example {@code config.training.seed}
 * @param before its value in the first; empty where it has none
 * @param after its value in the second; empty where it has none
 * @param effect what the difference can change
 * @param reason why
 * @param known whether the field is in the {@link EffectTable}; of one that is not the worst is
 *     assumed
 */
public record Difference(
    String key, String before, String after, Effect effect, String reason, boolean known) {
  /** For people, on one line, without the effect. */
  public String text() {
    return key + ": " + shown(before) + " → " + shown(after);
  }

  private static String shown(String value) {
    return value.isEmpty() ? "not set" : value;
  }

  /** For programs. */
  public ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("key", key);
    json.put("before", before);
    json.put("after", after);
    json.put("effect", effect.code());
    json.put("reason", reason);
    json.put("known", known);
    return json;
  }
}
