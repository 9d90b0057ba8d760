package dev.duoka.diagnosis.rule;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one line looks like. A group whose name ends in a digit is another place of the value of the
 * name without it: {@code total2} is {@code total} where that one is missing.
 *
 * @param words the line holds at least one of them, in any case; they are what is searched for
 * @param match what the line must then look like; empty where the words are enough
 * @param except what it must not look like
 * @param over over how many further lines the message may run
 */
public record LinePattern(
    List<String> words, Optional<Pattern> match, Optional<Pattern> except, int over) {
  /**
   * What the pattern's named groups hold in this line; empty where the line is another.
   *
   * @param body the line without the prefixes of launchers and loggers
   */
  public Optional<Map<String, String>> find(String body) {
    if (except.isPresent() && except.get().matcher(body).find()) {
      return Optional.empty();
    }
    if (match.isEmpty()) {
      return Optional.of(Map.of());
    }
    Matcher matcher = match.get().matcher(body);
    if (!matcher.find()) {
      return Optional.empty();
    }
    Map<String, String> captures = new HashMap<>();
    matcher.namedGroups().entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .forEach(
            group -> {
              String value = matcher.group(group.getKey());
              if (value != null) {
                captures.putIfAbsent(withoutDigits(group.getKey()), value);
              }
            });
    return Optional.of(captures);
  }

  /** Whether the line holds one of the words. */
  public boolean hasWord(String body) {
    String lower = body.toLowerCase(Locale.ROOT);
    return words.stream().anyMatch(lower::contains);
  }

  private static String withoutDigits(String name) {
    int end = name.length();
    while (end > 1 && Character.isDigit(name.charAt(end - 1))) {
      end--;
    }
    return name.substring(0, end);
  }
}
