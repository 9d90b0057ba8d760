package dev.duoka.diagnosis.verdict;

import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Fills the placeholders of a rule's texts: <code>{name}</code> or <code>{name|otherwise}</code>.
 */
final class Template {
  private static final Pattern PLACEHOLDER =
      Pattern.compile("(?<=(\\w))?\\{(\\w+)(?:\\|([^{}]*))?\\}");
  private static final int LONGEST = 200;

  private Template() {}

  static String fill(String text, Map<String, String> values) {
    return PLACEHOLDER.matcher(text).replaceAll(m -> Matcher.quoteReplacement(text(m, values)));
  }

  private static String text(MatchResult m, Map<String, String> values) {
    String value = value(m.group(2), m.group(3), values);
    // Right behind a word an optional detail stands in brackets.
    boolean aside = m.group(1) != null && "".equals(m.group(3)) && !value.isEmpty();
    return aside ? " (" + value + ")" : value;
  }

  private static String value(
      String name,
      @org.jspecify.annotations.Nullable String otherwise,
      Map<String, String> values) {
    String value = values.get(name);
    if (value == null || value.isBlank()) {
      return otherwise == null ? "<" + name + ">" : otherwise;
    }
    return value.length() <= LONGEST ? value.strip() : value.substring(0, LONGEST).strip() + "…";
  }
}
