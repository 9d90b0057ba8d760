package dev.duoka.data.shard;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.SkipReason;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Keeps what was found wrong with a corpus beside its tokens, to be shown again. */
final class BadDataJson {
  static final String FILE_NAME = "bad-data.json";

  private BadDataJson() {}

  static byte[] write(BadDataReport report) {
    ObjectNode json = Json.object();
    counts(report.bad(), json.putObject("bad"));
    counts(report.cut(), json.putObject("cut"));
    ObjectNode remarks = json.putObject("remarks");
    report.remarks().forEach(remarks::put);
    var places = json.putArray("places");
    for (BadDataReport.Place place : report.places()) {
      places
          .addObject()
          .put("reason", place.reason().name())
          .put("name", place.name())
          .put("problem", place.problem())
          .put("excerpt", place.excerpt())
          .put("remedy", place.remedy());
    }
    return Json.pretty(json).getBytes(StandardCharsets.UTF_8);
  }

  private static void counts(Map<SkipReason, Long> counts, ObjectNode into) {
    counts.forEach((reason, count) -> into.put(reason.name(), count));
  }

  /** What a file says; nothing where there is none or it is damaged, which costs no tokens. */
  static BadDataReport read(Path file) {
    if (!Files.isRegularFile(file)) {
      return BadDataReport.NOTHING;
    }
    try {
      JsonNode json = Json.parse(Files.readAllBytes(file), file.toString(), ErrorCode.FORMAT);
      Map<String, Long> remarks = new TreeMap<>();
      for (String remark : json.path("remarks").propertyNames()) {
        remarks.put(remark, json.path("remarks").path(remark).asLong(0));
      }
      List<BadDataReport.Place> places = new ArrayList<>();
      for (JsonNode place : json.path("places")) {
        for (SkipReason reason : SkipReason.values()) {
          if (reason.name().equals(place.path("reason").asString(""))) {
            places.add(
                new BadDataReport.Place(
                    reason,
                    place.path("name").asString(""),
                    place.path("problem").asString(""),
                    place.path("excerpt").asString(""),
                    place.path("remedy").asString("")));
          }
        }
      }
      return new BadDataReport(counts(json.path("bad")), counts(json.path("cut")), remarks, places);
    } catch (IOException | DuokaException e) {
      return BadDataReport.NOTHING;
    }
  }

  private static Map<SkipReason, Long> counts(JsonNode json) {
    Map<SkipReason, Long> counts = new EnumMap<>(SkipReason.class);
    for (SkipReason reason : SkipReason.values()) {
      if (json.has(reason.name())) {
        counts.put(reason, json.path(reason.name()).asLong(0));
      }
    }
    return counts;
  }
}
