package dev.duoka.experiment.ladder;

import dev.duoka.formats.json.Json;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** A ladder as JSON. */
public final class LadderJson {
  private LadderJson() {}

  /** One object. */
  public static ObjectNode of(LadderResult result) {
    ObjectNode json = Json.object();
    json.put("run_file", result.runFile().toString());
    json.put("whole", result.isWhole());
    json.put("on_cpu", result.onCpu());
    json.put("rungs_planned", result.planned().size());
    json.put("parity_tokens_per_step", result.parityTokens());
    json.put("tokens_per_card", result.tokensPerCard());
    ArrayNode rungs = json.putArray("rungs");
    result.rungs().forEach(rung -> rung(rungs.addObject(), rung));
    result.runFileForAll().ifPresent(file -> json.put("run_file_for_all", file.toString()));
    json.put("folder", result.folder().toString());
    return json;
  }

  private static void rung(ObjectNode json, RungResult result) {
    Rung rung = result.rung();
    json.put("rung", rung.number());
    json.put("ranks", rung.ranks());
    json.put("mesh", rung.mesh());
    rung.grown().forEach(json.putArray("grown")::add);
    json.put("holds_the_model", result.held());
    result.parity().ifPresent(parity -> parity(json.putObject("parity"), parity));
    result.likeness().ifPresent(likeness -> likeness(json.putObject("small_likeness"), likeness));
    if (!Double.isNaN(result.bus())) {
      json.put("slowest_bus_gb_per_second", result.bus());
    }
    result
        .memory()
        .ifPresent(
            memory -> {
              ObjectNode node = json.putObject("memory");
              node.put("predicted_bytes", (long) memory.predicted());
              node.put("measured_bytes", (long) memory.measured());
              memory.findings().forEach(node.putArray("findings")::add);
            });
    result.speed().ifPresent(speed -> speed(json.putObject("speed"), speed));
    result.notes().forEach(json.putArray("notes")::add);
    result.fault().ifPresent(fault -> fault(json.putObject("fault"), fault));
  }

  private static void parity(ObjectNode json, Parity parity) {
    json.put("steps", parity.steps());
    Json.putNumber(json, "loss", parity.loss());
    json.put("loss_limit", parity.lossLimit());
    Json.putNumber(json, "grad_norm", parity.norm());
    json.put("grad_norm_limit", parity.normLimit());
    json.put("rounding_measured", parity.roundingMeasured());
    parity
        .broken()
        .ifPresent(
            broken -> {
              ObjectNode node = json.putObject("differs");
              node.put("step", broken.step());
              node.put("what", broken.what().toString());
              Json.putNumber(node, "below", broken.below());
              Json.putNumber(node, "above", broken.above());
              node.put("limit", broken.limit());
            });
  }

  private static void likeness(ObjectNode json, Likeness likeness) {
    json.put("holds", likeness.holds());
    json.put("work", likeness.work());
    likeness.differing().forEach(json.putArray("differing")::add);
  }

  private static void speed(ObjectNode json, RungSpeed speed) {
    json.put("seconds", speed.seconds());
    Json.putNumber(json, "predicted_seconds", speed.predicted());
    json.put("tokens_per_second", speed.tokensPerSecond());
    speed.ofPrediction().ifPresent(share -> share(json.putObject("of_prediction"), share));
    speed.efficiency().ifPresent(share -> share(json.putObject("efficiency"), share));
  }

  private static void share(ObjectNode json, Share share) {
    Json.putNumber(json, "low", share.low());
    Json.putNumber(json, "estimate", share.estimate());
    Json.putNumber(json, "high", share.high());
  }

  private static void fault(ObjectNode json, Fault fault) {
    json.put("check", fault.check().toString());
    json.put("reason", fault.reason());
    ArrayNode causes = json.putArray("causes");
    for (Cause cause : fault.causes()) {
      ObjectNode node = causes.addObject();
      node.put("kind", cause.kind().name().toLowerCase(Locale.ROOT));
      node.put("text", cause.text());
      node.put("fix", cause.fix());
    }
  }
}
