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
    tuned.fastestFirst().forEach(one -> lines.add(line(one)));
    lines.addAll(climb(tuned.climb()));
    if (tuned.cutShort()) {
      lines.add("The time was over before all were tried; give more --minutes.");
    }
    boolean canTrain = tuned.canTrainAsItIs();
    if (tuned.best().equals(Candidate.AS_IT_IS)) {
      lines.add(nothing(tuned, canTrain));
      for (Tuned.Compared one : tuned.compared()) {
        lines.add("In turns with the run file as it is, " + one.candidate() + ":");
        one.judgements().forEach(judgement -> lines.add(TrialText.of(judgement)));
      }
      return lines;
    }
    lines.add(
        canTrain
            ? "Best: " + tuned.best()
            : "The run file as it is cannot train here. The fastest, tried alone: " + tuned.best());
    if (!tuned.judgements().isEmpty()) {
      lines.add("In turns with the run file as it is:");
      tuned.judgements().forEach(judgement -> lines.add(TrialText.of(judgement)));
    }
    return lines;
  }

  private static String nothing(Tuned tuned, boolean canTrain) {
    if (!canTrain) {
      return "Nothing that was tried can train here.";
    }
    return tuned.tried().size() == 1
        ? "Nothing but the run file as it is was tried."
        : "Nothing that was tried is certainly faster than the run file as it is.";
  }

  /** What came of the one that was tried last. */
  public static String latest(Tuned tuned) {
    Tuned.Tried one = tuned.tried().getLast();
    if (one.logSpeed().isEmpty()) {
      return one.candidate() + ": " + one.reason();
    }
    return String.format(
        Locale.ROOT,
        "%s: %,.0f tokens/s%s, %,.1f MiB",
        one.candidate(),
        one.tokensPerSecond(),
        tuned.canTrainAsItIs() && tuned.tried().size() > 1 ? besideAsItIs(tuned, one) : "",
        one.peakBytes() / MIB);
  }

  private static String besideAsItIs(Tuned tuned, Tuned.Tried one) {
    double times = one.tokensPerSecond() / tuned.tried().getFirst().tokensPerSecond();
    return String.format(Locale.ROOT, " (%+.1f %%)", 100 * (times - 1));
  }

  private static String line(Tuned.Tried one) {
    return one.logSpeed().isEmpty()
        ? String.format(Locale.ROOT, "%14s  %12s  %s: %s", "-", "-", one.candidate(), one.reason())
        : String.format(
            Locale.ROOT,
            "%,14.0f  %,12.1f  %s",
            one.tokensPerSecond(),
            one.peakBytes() / MIB,
            one.candidate());
  }

  /** What each choice brought, tried alone. */
  private static List<String> climb(List<Tuned.Tried> climb) {
    List<String> lines = new ArrayList<>();
    for (int i = 1; i < climb.size(); i++) {
      Tuned.Tried before = climb.get(i - 1);
      Tuned.Tried after = climb.get(i);
      lines.add(
          String.format(
              Locale.ROOT,
              "  %+6.1f %%  %s%s",
              100 * (after.tokensPerSecond() / before.tokensPerSecond() - 1),
              String.join(" ", after.candidate().beside(before.candidate())),
              after.isClearlyFasterThan(before) ? "" : "  (single steps differ by more)"));
    }
    if (!lines.isEmpty()) {
      lines.addFirst("What each choice brought, tried alone:");
    }
    return lines;
  }

  /** One object. */
  public static ObjectNode json(Tuned tuned) {
    ObjectNode json = Json.object();
    ArrayNode tried = json.putArray("tried");
    for (Tuned.Tried one : tuned.fastestFirst()) {
      ObjectNode node = tried.addObject();
      put(node, one.candidate());
      Json.putNumber(node, "tokens_per_second", one.tokensPerSecond());
      node.put("peak_bytes", one.peakBytes());
      node.put("reason", one.reason());
    }
    ArrayNode climb = json.putArray("climb");
    tuned.climb().forEach(one -> put(climb.addObject(), one.candidate()));
    put(json.putObject("best"), tuned.best());
    TrialJson.put(json.putArray("judgements"), tuned.judgements());
    ArrayNode compared = json.putArray("compared");
    for (Tuned.Compared one : tuned.compared()) {
      ObjectNode node = compared.addObject();
      put(node, one.candidate());
      TrialJson.put(node.putArray("judgements"), one.judgements());
    }
    json.put("as_it_is_can_train", tuned.canTrainAsItIs());
    json.put("cut_short", tuned.cutShort());
    return json;
  }

  private static void put(ObjectNode json, Candidate candidate) {
    candidate.overrides().forEach(json.putArray("set")::add);
  }
}
