package dev.duoka.data.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Texts as Python sees them: made of code points. */
final class TextOps {
  private TextOps() {}

  static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  /** The order of the code points. */
  static int compare(String a, String b) {
    int i = 0;
    int j = 0;
    while (i < a.length() && j < b.length()) {
      int x = a.codePointAt(i);
      int y = b.codePointAt(j);
      if (x != y) {
        return Integer.compare(x, y);
      }
      i += Character.charCount(x);
      j += Character.charCount(y);
    }
    return Integer.compare(a.length() - i, b.length() - j);
  }

  static List<Value> characters(String text) {
    List<Value> characters = new ArrayList<>();
    text.codePoints().forEach(c -> characters.add(Value.of(Character.toString(c))));
    return characters;
  }

  /** What Python's {@code strip} takes for white space. */
  static boolean isSpace(int c) {
    return (c >= 9 && c <= 13)
        || (c >= 28 && c <= 32)
        || c == 0x85
        || c == 0xA0
        || (c > 0xFF && (Character.isSpaceChar(c) && c != 0x200B));
  }

  static String strip(String text, @Nullable String characters, boolean left, boolean right) {
    int start = 0;
    int end = text.length();
    while (left && start < end && taken(text.codePointAt(start), characters)) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (right && end > start && taken(text.codePointBefore(end), characters)) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  private static boolean taken(int c, @Nullable String characters) {
    return characters == null ? isSpace(c) : characters.indexOf(c) >= 0;
  }

  /** {@code split()}: at each stretch of white space; at most so many times, −1 for all. */
  static List<String> splitAtSpace(String text, int most) {
    List<String> words = new ArrayList<>();
    String rest = strip(text, null, true, false);
    while (!rest.isEmpty()) {
      if (most >= 0 && words.size() == most) {
        words.add(rest);
        return words;
      }
      int end = 0;
      while (end < rest.length() && !isSpace(rest.codePointAt(end))) {
        end += Character.charCount(rest.codePointAt(end));
      }
      words.add(rest.substring(0, end));
      rest = strip(rest.substring(end), null, true, false);
    }
    return words;
  }

  /** {@code split(separator)}; at most so many times, −1 for all, from the right if asked. */
  static List<String> split(String text, String separator, int most, boolean fromRight) {
    if (separator.isEmpty()) {
      throw new Fault("a text cannot be split at an empty text");
    }
    List<String> parts = new ArrayList<>();
    if (fromRight) {
      int end = text.length();
      while (most < 0 || parts.size() < most) {
        int at =
            end < separator.length() ? -1 : text.lastIndexOf(separator, end - separator.length());
        if (at < 0) {
          break;
        }
        parts.addFirst(text.substring(at + separator.length(), end));
        end = at;
      }
      parts.addFirst(text.substring(0, end));
      return parts;
    }
    int start = 0;
    while (most < 0 || parts.size() < most) {
      int at = text.indexOf(separator, start);
      if (at < 0) {
        break;
      }
      parts.add(text.substring(start, at));
      start = at + separator.length();
    }
    parts.add(text.substring(start));
    return parts;
  }

  /** The first {@code most} occurrences replaced; −1 for all. */
  static String replace(Run run, String text, String old, String by, int most) {
    StringBuilder out = new StringBuilder();
    int from = 0;
    for (int done = 0; most < 0 || done < most; done++) {
      int at = text.indexOf(old, from + (old.isEmpty() && done > 0 ? 1 : 0));
      if (at < 0 || (old.isEmpty() && done > text.length())) {
        break;
      }
      out.append(text, from, at).append(by);
      run.checkLength(out.length());
      from = at + old.length();
    }
    return out.append(text.substring(from)).toString();
  }

  static int count(String text, String part) {
    if (part.isEmpty()) {
      return length(text) + 1;
    }
    int count = 0;
    for (int at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  /** Each word with its first letter large and the others small, as Python's {@code title}. */
  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(
          !Character.isLetter(c)
              ? c
              : inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inside = Character.isLetter(c);
    }
    return out.toString();
  }
}
