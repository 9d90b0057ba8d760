package dev.duoka.data.overlap;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Keeps a report in the folder of the tokens. */
final class OverlapJson {
  private OverlapJson() {}

  static byte[] write(OverlapReport report) {
    ObjectNode json = Json.object();
    ArrayNode copies = json.putArray("copies");
    for (OverlapReport.SourceCopies source : report.copies()) {
      copies
          .addObject()
          .put("name", source.name())
          .put("count", source.count())
          .put("of_others", source.ofOthers());
    }
    report.copyPlaces().forEach(json.putArray("copy_places")::add);
    json.put("held_out", report.heldOut());
    json.put("judged", report.judged());
    json.put("same", report.same());
    json.put("nearly_same", report.nearlySame());
    json.put("passages", report.passages());
    report.leakPlaces().forEach(json.putArray("leak_places")::add);
    return Json.pretty(json).getBytes(StandardCharsets.UTF_8);
  }

  /** What a file says; empty where there is none, or it is damaged: it is then made again. */
  static Optional<OverlapReport> read(Path file) {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try {
      JsonNode json = Json.parse(Files.readAllBytes(file), file.toString(), ErrorCode.FORMAT);
      if (!json.path("leak_places").isArray()) {
        return Optional.empty();
      }
      List<OverlapReport.SourceCopies> copies = new ArrayList<>();
      for (JsonNode source : json.path("copies")) {
        copies.add(
            new OverlapReport.SourceCopies(
                source.path("name").asString(""),
                source.path("count").asLong(0),
                source.path("of_others").asLong(0)));
      }
      return Optional.of(
          new OverlapReport(
              copies,
              texts(json.path("copy_places")),
              json.path("held_out").asLong(0),
              json.path("judged").asLong(0),
              json.path("same").asLong(0),
              json.path("nearly_same").asLong(0),
              json.path("passages").asLong(0),
              texts(json.path("leak_places"))));
    } catch (IOException | DuokaException e) {
      return Optional.empty();
    }
  }

  private static List<String> texts(JsonNode list) {
    List<String> texts = new ArrayList<>();
    list.forEach(text -> texts.add(text.asString("")));
    return texts;
  }
}
