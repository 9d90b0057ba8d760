package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a model wrote at a validation beside what was expected; all text can be shown as it is.
 *
 * @param step after which it was asked
 * @param prompt as it was asked
 * @param expected what the data has
 * @param answer what it wrote
 * @param ended whether it ended the answer itself
 */
record RunAnswer(long step, String prompt, String expected, String answer, boolean ended) {
  /** The file in a run's folder. */
  static final String FILE = "answers.jsonl";

  /** So much of the end of the file is looked at. */
  private static final int BYTES = 1 << 18;

  /** So many validations, the newest, are shown. */
  private static final int VALIDATIONS = 3;

  /** Of a longer text its beginning is shown. */
  private static final int LONGEST = 4000;

  /** Those of the newest validations, in the order of the file; throws as {@link RunFiles} does. */
  static List<RunAnswer> of(RunFiles files) {
    List<RunAnswer> all = new ArrayList<>();
    for (String line : files.tail(files.folder().resolve(FILE), BYTES).split("\n")) {
      add(line, all);
    }
    List<Long> steps = all.stream().map(RunAnswer::step).distinct().sorted().toList();
    List<Long> newest = steps.subList(Math.max(0, steps.size() - VALIDATIONS), steps.size());
    return all.stream().filter(answer -> newest.contains(answer.step)).toList();
  }

  /** A line that is being written, or was cut off, is no answer. */
  private static void add(String line, List<RunAnswer> all) {
    if (line.isBlank()) {
      return;
    }
    try {
      JsonNode json = Json.parse(line.getBytes(StandardCharsets.UTF_8), FILE, ErrorCode.FORMAT);
      if (json.path("step").isIntegralNumber()) {
        all.add(
            new RunAnswer(
                json.path("step").asLong(),
                text(json, "prompt"),
                text(json, "expected"),
                text(json, "answer"),
                json.path("ended").asBoolean(false)));
      }
    } catch (DuokaException e) {
      if (e.code() != ErrorCode.FORMAT) {
        throw e;
      }
    }
  }

  private static String text(JsonNode json, String field) {
    String text = json.path(field).asString("");
    return RedactedText.of(text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…");
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    json.put("step", step);
    json.put("prompt", prompt);
    json.put("expected", expected);
    json.put("answer", answer);
    json.put("ended", ended);
    return json;
  }
}
