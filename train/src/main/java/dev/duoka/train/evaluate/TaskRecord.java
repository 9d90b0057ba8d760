package dev.duoka.train.evaluate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.chat.ChatRecords;
import dev.duoka.data.chat.Message;
import dev.duoka.data.chat.Role;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.TaskSettings;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * A question with its right answer.
 *
 * @param asked the messages before the answer, of which the last is the question
 * @param choices of which one is right, or the answer that is given; empty where the model writes
 *     one
 * @param correct the number of the right choice
 * @param answers that count as right, where the model writes one
 * @param where it stands
 */
record TaskRecord(
    List<Message> asked, List<String> choices, int correct, List<String> answers, String where) {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final String FORM =
      "Write {\"prompt\", \"choices\", \"answer\"} for a task of choices, and {\"prompt\","
          + " \"answer\"} for one of exact answers or of perplexity.";

  /**
   * Reads one.
   *
   * @param where names the record in errors
   */
  static TaskRecord parse(String json, TaskSettings.Kind kind, String where) {
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (JacksonException e) {
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot read question " + where + ": it is not valid JSON (" + Json.reason(e) + ")",
          FORM,
          e);
    }
    if (!(root instanceof ObjectNode object)) {
      throw error(where, "is no object");
    }
    JsonNode answer = object.path("answer");
    if (answer.isMissingNode() || answer.isNull()) {
      throw error(where, "has no 'answer'");
    }
    List<Message> asked = asked(object, where);
    return switch (kind) {
      case CHOICE -> {
        List<String> choices = texts(object.path("choices"), "choices", where);
        if (choices.size() < 2) {
          throw error(where, "has fewer than two 'choices'");
        }
        if (choices.stream().anyMatch(String::isBlank)) {
          throw error(where, "has an empty choice");
        }
        yield new TaskRecord(asked, choices, correct(answer, choices, where), List.of(), where);
      }
      case EXACT -> new TaskRecord(asked, List.of(), 0, texts(answer, "answer", where), where);
      case PERPLEXITY -> {
        List<String> only = texts(answer, "answer", where);
        if (only.size() != 1 || only.getFirst().isBlank()) {
          throw error(where, "has not one 'answer' but " + answer);
        }
        yield new TaskRecord(asked, only, 0, List.of(), where);
      }
    };
  }

  private static List<Message> asked(ObjectNode object, String where) {
    if (object.path("prompt").isString()) {
      return List.of(new Message(Role.USER, object.path("prompt").stringValue()));
    }
    if (object.path("messages").isArray()) {
      List<Message> messages = ChatRecords.parse(object.toString(), where).messages();
      if (messages.getLast().role() != Role.USER) {
        throw error(where, "has 'messages' that do not end with a question of the user");
      }
      return messages;
    }
    throw error(where, "has neither a 'prompt' nor 'messages'");
  }

  private static List<String> texts(JsonNode node, String field, String where) {
    List<String> texts = new ArrayList<>();
    if (node.isString()) {
      texts.add(node.stringValue());
    } else if (node.isNumber()) {
      texts.add(node.toString());
    } else if (node.isArray() && !node.isEmpty()) {
      node.forEach(each -> texts.addAll(texts(each, field, where)));
    } else {
      throw error(where, "has under '" + field + "' no text");
    }
    return texts;
  }

  /** By number from 0, letter from A, or text. */
  private static int correct(JsonNode answer, List<String> choices, String where) {
    int number = answer.isInt() ? answer.intValue() : -1;
    if (answer.isString()) {
      String text = answer.stringValue().strip();
      number = choices.indexOf(answer.stringValue());
      if (number < 0 && text.matches("[A-Z]")) {
        number = text.charAt(0) - 'A';
      }
    }
    if (number < 0 || number >= choices.size()) {
      throw error(
          where,
          "has the answer " + answer + ", which is none of its " + choices.size() + " choices");
    }
    return number;
  }

  private static DuokaException error(String where, String what) {
    return new DuokaException(ErrorCode.DATA, "question " + where + " " + what, FORM);
  }
}
