package dev.duoka.train.run;

import dev.duoka.formats.json.Json;
import dev.duoka.train.step.StepMetrics;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The lines of {@code metrics.jsonl}. */
final class MetricsLine {
  private MetricsLine() {}

  static ObjectNode of(StepMetrics m) {
    ObjectNode line = Json.object();
    line.put("step", m.step());
    Json.putNumber(line, "loss", m.loss());
    if (!Double.isNaN(m.furtherLoss())) {
      line.put("mtp_loss", m.furtherLoss());
    }
    putAll(line, "preference", m.preference());
    line.put("lr", m.learningRate());
    Json.putNumber(line, "grad_norm", m.gradientNorm());
    line.put("loss_scale", m.lossScale());
    line.put("applied", m.applied());
    line.put("tokens", m.tokens());
    line.put("tokens_per_second", m.tokensPerSecond());
    line.put("samples_per_second", m.samplesPerSecond());
    Json.putNumber(line, "mfu", m.mfu());
    ObjectNode seconds = line.putObject("seconds");
    seconds.put("data", m.seconds().data());
    seconds.put("forward", m.seconds().forward());
    seconds.put("backward", m.seconds().backward());
    seconds.put("optimizer", m.seconds().optimizer());
    seconds.put("total", m.seconds().total());
    if (!m.exposedSeconds().isEmpty()) {
      ObjectNode exposed = line.putObject("exposed_seconds");
      new TreeMap<>(m.exposedSeconds()).forEach(exposed::put);
    }
    ObjectNode memory = line.putObject("memory");
    memory.put("live_bytes", m.memory().liveBytes());
    memory.put("peak_bytes", m.memory().peakBytes());
    memory.put("driver_bytes", m.memory().driverBytes());
    memory.put("driver_bytes_of", m.memory().ofCard() ? "card" : "process");
    if (!m.memory().ranks().isEmpty()) {
      ArrayNode ranks = line.putArray("rank_memory");
      m.memory().ranks().forEach(rank -> put(ranks.addObject(), rank));
    }
    if (!m.expertLoads().isEmpty()) {
      ObjectNode loads = line.putObject("expert_load");
      for (int i = 0; i < m.expertLoads().size(); i++) {
        Json.putNumber(loads, "mixture " + i, m.expertLoads().get(i));
      }
    }
    if (!m.gradientRanges().isEmpty()) {
      ArrayNode ranges = line.putArray("grad_range");
      for (StepMetrics.GradientRange range : m.gradientRanges()) {
        ObjectNode node = ranges.addObject();
        node.put("layer", range.part());
        Json.putNumber(node, "min", range.smallest());
        Json.putNumber(node, "max", range.largest());
        Json.putNumber(node, "rms", range.rms());
      }
    }
    return line;
  }

  private static void put(ObjectNode node, StepMetrics.RankUse rank) {
    new TreeMap<>(rank.peakByOwner()).forEach(node::put);
    node.put("driver_bytes", rank.driverBytes());
    if (rank.heapBytes() > 0) {
      node.put("heap_bytes", rank.heapBytes());
    }
  }

  private static void putAll(ObjectNode line, String field, Map<String, Double> numbers) {
    if (!numbers.isEmpty()) {
      ObjectNode node = line.putObject(field);
      numbers.forEach((name, number) -> Json.putNumber(node, name, number));
    }
  }

  static ObjectNode ofValidation(long step, ValidationResult result) {
    ObjectNode line = Json.object();
    line.put("step", step);
    Json.putNumber(line, "validation_loss", result.loss());
    putAll(line, "validation", result.numbers());
    return line;
  }
}
