package dev.duoka.diagnosis.verdict;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Fills the placeholders of a rule's texts: <code>{name}</code> or <code>{name|otherwise}</code>.
 */
final class Template {
  private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\w+)(?:\\|([^{}]*))?\\}");
  private static final int LONGEST = 200;

  private Template() {}

  static String fill(String text, Map<String, String> values) {
    return PLACEHOLDER
        .matcher(text)
        .replaceAll(m -> Matcher.quoteReplacement(value(m.group(1), m.group(2), values)));
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
