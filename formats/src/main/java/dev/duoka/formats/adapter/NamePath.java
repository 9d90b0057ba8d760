package dev.duoka.formats.adapter;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Some neighbouring parts of names: {@code layers[0:8].self_attn} for example.
 *
 * @param parts in their order
 */
record NamePath(List<Part> parts) {
  private static final Pattern PART =
      Pattern.compile("([A-Za-z_][A-Za-z0-9_]*|[0-9]{1,9})(\\[([0-9]{1,9})?(:)?([0-9]{1,9})?])?");

  /** What may stand for a layer's number in a name or an expression. */
  private static final Pattern NUMBERS = Pattern.compile("\\d|\\\\d|\\[|layers");

  /**
   * A part of a name, and the numbers that may follow as the next one.
   *
   * @param numbered whether a number follows
   * @param from the first of them
   * @param end behind the last of them
   */
  record Part(String name, boolean numbered, long from, long end) {}

  /**
   * Reads the text form.
   *
   * @throws IllegalArgumentException when it has another one
   */
  static NamePath parse(String text) {
    List<Part> parts = new ArrayList<>();
    for (String each : text.split("\\.", -1)) {
      Matcher matcher = PART.matcher(each);
      if (!matcher.matches()) {
        throw problem(text);
      }
      parts.add(part(text, matcher));
    }
    return new NamePath(parts);
  }

  private static Part part(String text, Matcher matcher) {
    String name = matcher.group(1);
    if (matcher.group(2) == null) {
      return new Part(name, false, 0, 0);
    }
    String first = matcher.group(3);
    String second = matcher.group(5);
    long from = first == null ? 0 : Long.parseLong(first);
    if (matcher.group(4) == null) {
      if (first == null || second != null) {
        throw problem(text);
      }
      return new Part(name, true, from, from + 1);
    }
    long end = second == null ? Long.MAX_VALUE : Long.parseLong(second);
    if (end <= from) {
      throw new IllegalArgumentException("'" + text + "' has a range without a number in it");
    }
    return new Part(name, true, from, end);
  }

  private static IllegalArgumentException problem(String text) {
    return new IllegalArgumentException(
        "'" + text + "' is no name, such as embed_tokens, layers[0:8] or layers[3].self_attn");
  }

  /** Whether a text that stands for names may tell layers apart by their numbers. */
  static boolean mayNumber(String text) {
    return NUMBERS.matcher(text).find();
  }

  /** Whether they stand somewhere in a name. */
  boolean isIn(String name) {
    String[] words = name.split("\\.");
    for (int start = 0; start < words.length; start++) {
      if (standsAt(start, words)) {
        return true;
      }
    }
    return false;
  }

  private boolean standsAt(int start, String... words) {
    int at = start;
    for (Part part : parts) {
      if (at >= words.length || !words[at++].equals(part.name())) {
        return false;
      }
      if (part.numbered() && (at >= words.length || !fits(part, words[at++]))) {
        return false;
      }
    }
    return true;
  }

  private static boolean fits(Part part, String word) {
    if (word.isEmpty() || word.length() > 9 || !word.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return false;
    }
    long number = Long.parseLong(word);
    return number >= part.from() && number < part.end();
  }
}
