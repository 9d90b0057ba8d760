package dev.duoka.experiment.trial;

import dev.duoka.experiment.verdict.Interval;
import dev.duoka.experiment.verdict.Judgement;
import dev.duoka.experiment.verdict.Quantity;
import dev.duoka.experiment.verdict.Verdict;
import dev.duoka.formats.json.Json;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** Trials as JSON. */
public final class TrialJson {
  private TrialJson() {}

  /** A trial; everything that {@link #read} needs. */
  public static ObjectNode of(TrialResult trial) {
    ObjectNode json = Json.object();
    json.put("time", trial.time().toString());
    json.put("run_file", trial.runFile().toString());
    json.put("model", trial.model());
    trial.change().forEach(json.putArray("change")::add);
    trial.changes().forEach(json.putArray("changes")::add);
    json.put("first_step", trial.first());
    json.put("steps", trial.steps());
    put(json.putArray("judgements"), trial.judgements());
    trial.itself().ifPresent(itself -> put(json.putArray("itself"), itself));
    trial.cannotRun().ifPresent(reason -> json.put("cannot_run", reason));
    json.put("decision", lower(trial.decision()));
    json.put("folder", trial.folder().toString());
    return json;
  }

  /** Adds judgements to an array. */
  public static void put(ArrayNode array, List<Judgement> judgements) {
    for (Judgement judgement : judgements) {
      ObjectNode json = array.addObject();
      json.put("quantity", lower(judgement.quantity()));
      json.put("verdict", lower(judgement.verdict()));
      judgement
          .interval()
          .ifPresent(
              interval -> {
                Json.putNumber(json, "low", interval.low());
                Json.putNumber(json, "estimate", interval.estimate());
                Json.putNumber(json, "high", interval.high());
                Json.putNumber(json, "seen", interval.seen());
              });
      Json.putNumber(json, "margin", judgement.margin());
      json.put("reason", judgement.reason());
    }
  }

  /** What {@link #of} has written; empty when it is something else. */
  static Optional<TrialResult> read(JsonNode json) {
    try {
      return Optional.of(
          new TrialResult(
              Instant.parse(json.path("time").asString("")),
              Path.of(json.path("run_file").asString("")),
              json.path("model").asString(""),
              texts(json.path("change")),
              texts(json.path("changes")),
              json.path("first_step").asLong(0),
              json.path("steps").asInt(0),
              judgements(json.path("judgements")),
              json.has("itself") ? Optional.of(judgements(json.path("itself"))) : Optional.empty(),
              json.has("cannot_run")
                  ? Optional.of(json.path("cannot_run").asString(""))
                  : Optional.empty(),
              Path.of(json.path("folder").asString(""))));
    } catch (IllegalArgumentException | DateTimeException e) {
      return Optional.empty();
    }
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.asString("")));
    return texts;
  }

  private static List<Judgement> judgements(JsonNode array) {
    List<Judgement> judgements = new ArrayList<>();
    for (JsonNode json : array) {
      Optional<Interval> interval =
          json.has("low")
              ? Optional.of(
                  new Interval(
                      number(json, "low"),
                      number(json, "estimate"),
                      number(json, "high"),
                      number(json, "seen")))
              : Optional.empty();
      judgements.add(
          new Judgement(
              Quantity.valueOf(upper(json, "quantity")),
              Verdict.valueOf(upper(json, "verdict")),
              interval,
              number(json, "margin"),
              json.path("reason").asString("")));
    }
    return judgements;
  }

  private static double number(JsonNode json, String name) {
    return json.path(name).asDouble(Double.NaN);
  }

  private static String upper(JsonNode json, String name) {
    return json.path(name).asString("").toUpperCase(Locale.ROOT);
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }
}
