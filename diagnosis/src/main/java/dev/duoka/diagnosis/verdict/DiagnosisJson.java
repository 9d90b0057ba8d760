package dev.duoka.diagnosis.verdict;

import dev.duoka.formats.json.Json;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A diagnosis as JSON; {@code docs/diagnosis.md} describes the fields. */
public final class DiagnosisJson {
  private DiagnosisJson() {}

  /** The whole diagnosis. */
  public static ObjectNode of(Diagnosis diagnosis) {
    ObjectNode root = Json.object();
    ArrayNode findings = root.putArray("findings");
    diagnosis.findings().forEach(finding -> findings.add(of(finding)));
    evidence(root.putArray("survived"), diagnosis.survived());
    root.put("logs", diagnosis.logs());
    root.put("lines", diagnosis.lines());
    root.put("bytes", diagnosis.bytes());
    return root;
  }

  private static ObjectNode of(Finding finding) {
    ObjectNode node = Json.object();
    Evidence decisive = finding.decisive();
    node.put("root_cause", finding.rootCause());
    node.put("component", finding.component().label());
    node.put("confidence", finding.confidence());
    node.put("certainty", finding.role().label());
    node.put("what", finding.what());
    node.put("evidence_line", decisive.text());
    node.put("line_number", decisive.line());
    node.put("file", decisive.file());
    if (finding.rank().isPresent()) {
      node.put("rank", finding.rank().getAsInt());
    } else {
      node.putNull("rank");
    }
    if (finding.localRank().isPresent()) {
      node.put("local_rank", finding.localRank().getAsInt());
    } else {
      node.putNull("local_rank");
    }
    ArrayNode ranks = node.putArray("ranks");
    finding.ranks().forEach(ranks::add);
    node.put("host", finding.host().orElse(null));
    node.put("why", finding.why());
    node.put("remedy", finding.fix());
    evidence(node.putArray("evidence"), finding.evidence());
    evidence(node.putArray("consequences"), finding.consequences());
    ArrayNode sources = node.putArray("sources");
    finding.sources().forEach(sources::add);
    return node;
  }

  private static void evidence(ArrayNode list, List<Evidence> lines) {
    for (Evidence line : lines) {
      ObjectNode node = list.addObject();
      node.put("rule", line.rule());
      node.put("line", line.text());
      node.put("line_number", line.line());
      node.put("file", line.file());
      if (line.rank().isPresent()) {
        node.put("rank", line.rank().getAsInt());
      } else {
        node.putNull("rank");
      }
      node.put("host", line.host().orElse(null));
    }
  }
}
