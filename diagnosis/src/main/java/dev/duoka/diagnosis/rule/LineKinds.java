package dev.duoka.diagnosis.rule;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Kinds of lines that are no rule by themselves: progress of the run, mere mentions, and what
 * stands in front of the traceback of an exception that somebody handles.
 */
public final class LineKinds {
  private static final List<ProgressRule> PROGRESS =
      YamlData.resource(LineKinds.class, "progress.yaml").objects("progress").stream()
          .map(LineKinds::progressRule)
          .toList();

  private static final List<Mention> MENTIONS = mentions("mentions.yaml", "mentions");
  private static final List<Mention> HANDLED = mentions("tracebacks.yaml", "handled");
  private static final List<Mention> CHAINED = mentions("tracebacks.yaml", "chained");

  private LineKinds() {}

  /** Lines that show that the run goes on or ended well. */
  public static List<ProgressRule> progress() {
    return PROGRESS;
  }

  /** Lines that report nothing, whatever their words. */
  public static List<Mention> mentions() {
    return MENTIONS;
  }

  /** Lines in front of a traceback that say that somebody handles the exception. */
  public static List<Mention> handled() {
    return HANDLED;
  }

  /** Lines between two tracebacks of one chain of exceptions. */
  public static List<Mention> chained() {
    return CHAINED;
  }

  /** What the line shows of the run's progress; empty where nothing. */
  public static Optional<ProgressRule.Kind> progress(String body) {
    return PROGRESS.stream().filter(rule -> rule.knows(body)).map(ProgressRule::kind).findFirst();
  }

  /** Whether the line only speaks of a failure. */
  public static boolean isMention(String body) {
    return MENTIONS.stream().anyMatch(mention -> mention.knows(body));
  }

  /**
   * Whether the exception whose traceback follows this line is handled, and the program goes on.
   */
  public static boolean isHandled(String body) {
    return HANDLED.stream().anyMatch(lead -> lead.knows(body));
  }

  /** Whether the traceback that follows this line belongs to the exception above it. */
  public static boolean isChained(String body) {
    return CHAINED.stream().anyMatch(link -> link.knows(body));
  }

  private static List<Mention> mentions(String resource, String list) {
    return YamlData.resource(LineKinds.class, resource).objects(list).stream()
        .map(LineKinds::mention)
        .toList();
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
