package dev.duoka.experiment.tune;

import dev.duoka.experiment.trial.TrialJson;
import dev.duoka.experiment.trial.TrialText;
import dev.duoka.formats.json.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** What tuning has found, for people and for programs. */
public final class TuneText {
  private static final double MIB = 1 << 20;

  private TuneText() {}

  /** Line by line. */
  public static List<String> of(Tuned tuned) {
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(Locale.ROOT, "%14s  %12s  %s", "tokens/s alone", "memory MiB", "settings"));
    for (Tuned.Tried one : tuned.tried()) {
      lines.add(
          one.logSpeed().isEmpty()
              ? String.format(
                  Locale.ROOT, "%14s  %12s  %s: %s", "-", "-", one.candidate(), one.reason())
              : String.format(
                  Locale.ROOT,
                  "%,14.0f  %,12.1f  %s",
                  one.tokensPerSecond(),
                  one.peakBytes() / MIB,
                  one.candidate()));
    }
    if (tuned.cutShort()) {
      lines.add("The time was over before all were tried; give more --minutes.");
    }
    if (tuned.best().equals(Candidate.AS_IT_IS)) {
      lines.add("Nothing is faster than the run file as it is.");
      return lines;
    }
    lines.add("Best: " + tuned.best());
    if (!tuned.judgements().isEmpty()) {
      lines.add("In turns with the run file as it is:");
      tuned.judgements().forEach(judgement -> lines.add(TrialText.of(judgement)));
    }
    return lines;
  }

  /** One object. */
  public static ObjectNode json(Tuned tuned) {
    ObjectNode json = Json.object();
    ArrayNode tried = json.putArray("tried");
    for (Tuned.Tried one : tuned.tried()) {
      ObjectNode node = tried.addObject();
      put(node, one.candidate());
      Json.putNumber(node, "tokens_per_second", one.tokensPerSecond());
      node.put("peak_bytes", one.peakBytes());
      node.put("reason", one.reason());
    }
    put(json.putObject("best"), tuned.best());
    TrialJson.put(json.putArray("judgements"), tuned.judgements());
    json.put("cut_short", tuned.cutShort());
    return json;
  }

  private static void put(ObjectNode json, Candidate candidate) {
    candidate.overrides().forEach(json.putArray("set")::add);
  }
}
