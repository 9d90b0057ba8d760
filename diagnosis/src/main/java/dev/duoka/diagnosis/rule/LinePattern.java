package dev.duoka.diagnosis.rule;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What one line looks like.
 *
 * @param words the line holds at least one of them, in any case; they are what is searched for
 * @param match what the line must then look like; empty where the words are enough
 * @param except what it must not look like
 */
public record LinePattern(List<String> words, Optional<Pattern> match, Optional<Pattern> except) {
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
    for (String name : matcher.namedGroups().keySet()) {
      String value = matcher.group(name);
      if (value != null) {
        captures.put(name, value);
      }
    }
    return Optional.of(captures);
  }
}
