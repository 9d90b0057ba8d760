package dev.duoka.machine.probe;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The text of a captured output, without what terminals, web pages, mail and launchers put around
 * its lines: escape codes, markup, odd blanks and dashes, quotation marks, and a prefix that names
 * the host, the container or the rank.
 */
final class CaptureText {
  private static final Pattern ESCAPES = Pattern.compile("\u001b\\[[0-9;?]*[A-Za-z]");
  private static final Pattern TAGS =
      Pattern.compile(
          "</?(?:pre|code|p|div|span|b|i|u)(?: [^<>]{0,200})?>", Pattern.CASE_INSENSITIVE);
  private static final Pattern BREAKS = Pattern.compile("<br ?/?>", Pattern.CASE_INSENSITIVE);

  /** A quoted line of a mail or issue, or a line that mpirun tagged with its rank. */
  private static final Pattern TAGGED =
      Pattern.compile("^(?:(?:> ?)+|\\[\\d+,\\d+\\](?:<std(?:out|err)>)?:)");

  /** {@code worker-0 | } of docker compose, {@code node12: } of pdsh. */
  private static final Pattern NAMED =
      Pattern.compile("^([A-Za-z][\\w.-]{0,80} {0,20}(?:\\||:))(?: |$)");

  private static final Pattern CLOCK =
      Pattern.compile(
          "^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?(?:Z|[+-]\\d\\d:?\\d\\d)?"
              + " ?");

  private static final int FEWEST_LINES = 3;

  /** The part of the lines that must have a prefix before it counts as one. */
  private static final double MOST = 0.6;

  private CaptureText() {}

  /** Windows' shell writes UTF-16; everything else is close enough to UTF-8. */
  static String of(byte[] bytes) {
    boolean little = bytes.length >= 2 && bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xfe;
    boolean big = bytes.length >= 2 && bytes[0] == (byte) 0xfe && bytes[1] == (byte) 0xff;
    String text =
        new String(bytes, little || big ? StandardCharsets.UTF_16 : StandardCharsets.UTF_8);
    text = ESCAPES.matcher(text.replace("\r\n", "\n")).replaceAll("");
    return withoutPrefixes(plain(withoutMarkup(text)));
  }

  private static String withoutMarkup(String text) {
    if (text.indexOf('<') < 0 && text.indexOf('&') < 0) {
      return text;
    }
    String plain = TAGS.matcher(BREAKS.matcher(text).replaceAll("\n")).replaceAll("");
    return plain
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
  }

  private static String plain(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n', '\t', '\r' -> out.append(c);
        case '\u200b', '\u200c', '\u200d', '\ufeff', '\u00ad' -> {} // take no room
        case '‐', '‑', '‒', '–', '−' -> out.append('-');
        default -> out.append(Character.isSpaceChar(c) ? ' ' : c);
      }
    }
    return out.toString();
  }

  private static String withoutPrefixes(String text) {
    List<String> lines = text.lines().toList();
    long written = lines.stream().filter(line -> !line.isBlank()).count();
    long tagged = lines.stream().filter(line -> TAGGED.matcher(line).find()).count();
    if (tagged >= Math.max(2, MOST * written)) {
      return withoutPrefixes(stripped(lines, TAGGED));
    }
    // Rows of CSV begin with a clock too, but their head does not.
    if (written >= FEWEST_LINES
        && !text.contains("NVRM")
        && lines.stream().allMatch(line -> line.isBlank() || CLOCK.matcher(line).find())) {
      return withoutPrefixes(stripped(lines, CLOCK));
    }
    Map<String, Integer> names = new HashMap<>();
    for (String line : lines) {
      Matcher name = NAMED.matcher(line);
      if (name.find()) {
        names.merge(name.group(1), 1, Integer::sum);
      }
    }
    return names.entrySet().stream()
        .filter(name -> name.getValue() >= Math.max(FEWEST_LINES, MOST * written))
        .findFirst()
        .map(
            name ->
                withoutPrefixes(
                    stripped(
                        lines, Pattern.compile("^" + Pattern.quote(name.getKey()) + "(?: |$)"))))
        .orElse(text);
  }

  private static String stripped(List<String> lines, Pattern prefix) {
    return lines.stream()
        .map(line -> prefix.matcher(line).replaceFirst(""))
        .collect(Collectors.joining("\n"));
  }
}
