package dev.duoka.operations.watch;

import dev.duoka.formats.json.Json;
import dev.duoka.formats.prediction.PredictionFile;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A comparison as the page asks for it; all text can be shown as it is. */
final class ComparisonJson {
  private ComparisonJson() {}

  static ObjectNode of(PredictionFile file, Comparison comparison) {
    ObjectNode json = Json.object();
    json.put("sha256", file.sha256());
    json.put("unchanged", file.unchanged());
    file.prediction()
        .step()
        .ifPresentOrElse(
            step -> {
              json.put("source", RedactedText.line(step.source()));
              Json.putNumber(json, "low", step.low());
              Json.putNumber(json, "high", step.high());
              if (!Double.isNaN(step.floor())) {
                json.put("floor", step.floor());
              }
            },
            () -> json.put("why_no_step", RedactedText.line(file.prediction().whyNoStep())));
    ArrayNode owners = json.putArray("owners");
    for (Comparison.Owner row : comparison.owners()) {
      ObjectNode one = owners.addObject();
      one.put("rank", row.rank());
      one.put("owner", RedactedText.line(row.owner()));
      Json.putNumber(one, "predicted", row.predicted());
      Json.putNumber(one, "measured", row.measured());
    }
    ArrayNode devices = json.putArray("devices");
    for (int i = 0; i < comparison.devices().size(); i++) {
      Comparison.Device row = comparison.devices().get(i);
      ObjectNode one = devices.addObject();
      one.put("name", RedactedText.line(row.name()));
      ArrayNode ranks = one.putArray("ranks");
      file.prediction().devices().get(i).ranks().forEach(ranks::add);
      Map<String, Long> beside = new TreeMap<>(file.prediction().devices().get(i).beside());
      ObjectNode known = one.putObject("beside");
      beside.forEach((what, bytes) -> known.put(RedactedText.line(what), bytes));
      Json.putNumber(one, "predicted", row.predicted());
      Json.putNumber(one, "driver", row.driver());
      Json.putNumber(one, "unknown", row.unknown());
    }
    ArrayNode times = json.putArray("times");
    for (Comparison.Time row : comparison.times()) {
      ObjectNode one = times.addObject();
      one.put("kind", row.kind());
      one.put("name", RedactedText.line(row.name()));
      Json.putNumber(one, "predicted", row.predicted());
      Json.putNumber(one, "measured", row.measured());
    }
    ArrayNode findings = json.putArray("findings");
    for (Comparison.Finding finding : comparison.findings()) {
      ObjectNode one = findings.addObject();
      one.put("kind", finding.kind());
      one.put("about", RedactedText.line(finding.about()));
      Json.putNumber(one, "value", finding.value());
      one.put("text", RedactedText.line(finding.text()));
    }
    return json;
  }
}
