package dev.duoka.doctor.nccl;

import dev.duoka.formats.json.Json;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Advice and verdicts as the JSON object of {@code duoka nccl --json}. */
public final class NcclJson {
  private NcclJson() {}

  /** The whole object. */
  public static ObjectNode of(
      NcclAdvice advice, List<NcclVerdict> verdicts, List<String> warnings) {
    ObjectNode root = Json.object();
    settings(root.putArray("variables"), advice.set());
    settings(root.putArray("measure"), advice.measure());
    strings(root.putArray("notes"), advice.notes());
    root.put("exports", advice.exports());
    root.put("run_file", advice.runFileBlock());
    ArrayNode explained = root.putArray("environment");
    verdicts.forEach(verdict -> explained.add(of(verdict)));
    strings(root.putArray("warnings"), warnings);
    return root;
  }

  /** One verdict. */
  public static ObjectNode of(NcclVerdict verdict) {
    ObjectNode node = Json.object();
    node.put("name", verdict.name());
    node.put("value", verdict.value());
    node.put("verdict", verdict.kind().name().toLowerCase(Locale.ROOT));
    node.put("explanation", verdict.explanation());
    node.put("remedy", verdict.remedy().orElse(null));
    node.put("suggestion", verdict.suggestion().orElse(null));
    node.put("source", verdict.source());
    return node;
  }

  private static void settings(ArrayNode array, List<NcclSetting> settings) {
    for (NcclSetting setting : settings) {
      ObjectNode node = array.addObject();
      node.put("name", setting.name());
      node.put("value", setting.value());
      node.put("reason", setting.reason());
      node.put("caution", setting.caution());
      node.put("source", setting.source());
    }
  }

  private static void strings(ArrayNode array, List<String> values) {
    values.forEach(array::add);
  }
}
