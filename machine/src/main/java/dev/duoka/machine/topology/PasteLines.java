package dev.duoka.machine.topology;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Takes off what terminals, editors, markup and logs put around text: escape codes, quotation
 * marks, table rules, escaped line ends, odd blanks. Every removed mark becomes a blank, so that
 * nothing fuses that was apart. Tabs stay.
 */
final class PasteLines {
  /** CSI and OSC sequences and two-byte escapes, with ESC itself possibly shown as text. */
  private static final Pattern ESCAPES =
      Pattern.compile(
          "(?:\u001b|\u009b|\\\\u001[bB]|\\\\x1[bB]|\\\\033|\\\\e(?=\\[)|\\^\\[(?=\\[)|␛)"
              + "(?:\\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\\][^\u0007\u001b]{0,256}(?:\u0007|\u001b\\\\)"
              + "|[()][0-9A-B])?");

  /** What is left of a colour code whose ESC was lost, at a place where no text begins so. */
  private static final Pattern BARE_COLOURS =
      Pattern.compile("\\[(?:[0-9]{1,3}(?:;[0-9]{1,3})*)?m");

  private static final Pattern TAGS =
      Pattern.compile(
          "</?(?:table|thead|tbody|tr|th|td|br|p|pre|code|div|span|b|i|u)(?: [^<>]{0,200})?/?>",
          Pattern.CASE_INSENSITIVE);
  private static final Pattern ROW_TAGS =
      Pattern.compile("<(?:/tr|br ?/?|/p|/div|/pre)>", Pattern.CASE_INSENSITIVE);

  /** A rank's tag that mpirun glues to the line. */
  private static final Pattern RANK_TAGS =
      Pattern.compile("^\\[\\d{1,6},\\d{1,6}\\](?:<std(?:out|err)>)?:", Pattern.MULTILINE);

  private static final Pattern LINE_ENDS =
      Pattern.compile("\r\n|[\n\r\u000b\u000c\u0085\u2028\u2029]");

  private PasteLines() {}

  static List<String> of(String text) {
    String clean = ESCAPES.matcher(text).replaceAll("");
    clean = BARE_COLOURS.matcher(clean).replaceAll("");
    clean = RANK_TAGS.matcher(clean).replaceAll(" ");
    if (clean.indexOf('<') >= 0) {
      clean = TAGS.matcher(ROW_TAGS.matcher(clean).replaceAll("\n")).replaceAll(" ");
    }
    clean =
        clean
            .replace("&nbsp;", " ")
            .replace("&#9;", "\t")
            .replace("&gt;", " ")
            .replace("&quot;", " ");
    if (clean.contains("\\n") || clean.contains("\\t")) {
      clean = clean.replace("\\r", "").replace("\\n", "\n").replace("\\t", "\t");
    }
    return Arrays.stream(LINE_ENDS.split(clean, -1)).map(PasteLines::clean).toList();
  }

  private static String clean(String line) {
    StringBuilder out = new StringBuilder(line.length());
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      switch (c) {
        case '\t' -> out.append('\t');
        case '"', '\'', '`', '|', '│', '┃', '║', ';', '“', '”' -> out.append(' ');
        case '\u200b', '\u200c', '\u200d', '\ufeff', '\u00ad' -> {} // take no room
        case '\b' -> out.setLength(Math.max(0, out.length() - 1));
        case '‐', '‑', '‒', '–', '−' -> out.append('-');
        case '×', '✕', '✖', '✗', 'Х', 'х' -> out.append('X');
        default ->
            out.append(Character.isWhitespace(c) || Character.isSpaceChar(c) || c < ' ' ? ' ' : c);
      }
    }
    return out.toString().stripTrailing().isEmpty() ? "" : out.toString();
  }
}
