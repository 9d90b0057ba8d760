package dev.duoka.data.pair;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Brings pairs in further forms into those that {@link PairRecords} reads by name.
 *
 * <ul>
 *   <li>{@code {"messages", "rejected_messages"}} (ms-swift), whole chats
 *   <li>{@code {"chosen", "rejected"}} that are texts of {@code Human:} and {@code Assistant:} (HH)
 *   <li>{@code {"question" or "query", "history", "chosen" or "response", "rejected" or
 *       "rejected_response"}} (Orca's pairs, ms-swift)
 * </ul>
 */
final class PairForms {
  private static final Pattern SPEAKER = Pattern.compile("\n\n(Human|Assistant):");

  private PairForms() {}

  /** The record in a form that is read by name; the argument is not changed. */
  static ObjectNode common(ObjectNode given) {
    ObjectNode record = given.deepCopy();
    if (isTurns(record.get("messages")) && isTurns(record.get("rejected_messages"))) {
      record.set("chosen", record.remove("messages"));
      record.set("rejected", record.remove("rejected_messages"));
    }
    if (isTranscript(record.get("chosen"))
        && isTranscript(record.get("rejected"))
        && !record.has("prompt")) {
      for (String side : List.of("chosen", "rejected")) {
        record.set(side, turns(record.path(side).stringValue(), record.arrayNode()));
      }
    }
    boolean asked =
        List.of("messages", "conversations", "instruction", "prompt").stream()
            .anyMatch(record::has);
    for (String question : List.of("question", "query")) {
      if (!asked && record.get(question) != null) {
        record.set("instruction", record.remove(question));
        asked = true;
      }
    }
    if (record.has("instruction") && record.has("response") && record.has("rejected_response")) {
      record.set("chosen", record.remove("response"));
      record.set("rejected", record.remove("rejected_response"));
    }
    return record;
  }

  private static boolean isTurns(@Nullable JsonNode node) {
    return node instanceof ArrayNode turns && !turns.isEmpty();
  }

  private static boolean isTranscript(@Nullable JsonNode node) {
    return node != null && node.isString() && node.stringValue().startsWith("\n\nHuman:");
  }

  private static ArrayNode turns(String text, ArrayNode turns) {
    Matcher speaker = SPEAKER.matcher(text);
    boolean more = speaker.find();
    while (more) {
      String role = speaker.group(1).equals("Human") ? "user" : "assistant";
      int from = speaker.end();
      more = speaker.find();
      String said = text.substring(from, more ? speaker.start() : text.length());
      turns.addObject().put("role", role).put("content", said.strip());
    }
    return turns;
  }
}
