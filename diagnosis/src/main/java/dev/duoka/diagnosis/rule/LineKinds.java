package dev.duoka.diagnosis.rule;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Kinds of lines that are no rule by themselves: progress of the run, and mere mentions. */
public final class LineKinds {
  private static final List<ProgressRule> PROGRESS =
      YamlData.resource(LineKinds.class, "progress.yaml").objects("progress").stream()
          .map(LineKinds::progressRule)
          .toList();

  private static final List<Mention> MENTIONS =
      YamlData.resource(LineKinds.class, "mentions.yaml").objects("mentions").stream()
          .map(LineKinds::mention)
          .toList();

  private LineKinds() {}

  /** Lines that show that the run goes on or ended well. */
  public static List<ProgressRule> progress() {
    return PROGRESS;
  }

  /** Lines that report nothing, whatever their words. */
  public static List<Mention> mentions() {
    return MENTIONS;
  }

  /** What the line shows of the run's progress; empty where nothing. */
  public static Optional<ProgressRule.Kind> progress(String body) {
    return PROGRESS.stream().filter(rule -> rule.knows(body)).map(ProgressRule::kind).findFirst();
  }

  /** Whether the line only speaks of a failure. */
  public static boolean isMention(String body) {
    return MENTIONS.stream().anyMatch(mention -> mention.knows(body));
  }

  private static ProgressRule progressRule(JsonFields fields) {
    return new ProgressRule(
        fields.text("id").orElseThrow(),
        ProgressRule.Kind.valueOf(fields.text("kind").orElseThrow().toUpperCase(Locale.ROOT)),
        RuleReader.patterns(fields),
        fields.texts("sources"),
        fields.texts("examples"));
  }

  private static Mention mention(JsonFields fields) {
    return new Mention(
        fields.text("id").orElseThrow(),
        Pattern.compile(fields.text("match").orElseThrow()),
        fields.text("except").map(Pattern::compile),
        fields.texts("sources"),
        fields.texts("examples"));
  }
}
