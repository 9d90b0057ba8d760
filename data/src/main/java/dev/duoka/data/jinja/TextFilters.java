package dev.duoka.data.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Filters of texts. */
final class TextFilters {
  static final Map<String, Filter> ALL =
      Map.ofEntries(
          Map.entry("upper", text(text -> text.toUpperCase(Locale.ROOT))),
          Map.entry("lower", text(text -> text.toLowerCase(Locale.ROOT))),
          Map.entry("title", text(TextFilters::title)),
          Map.entry("capitalize", text(TextMethods::capitalize)),
          Map.entry("string", text(text -> text)),
          Map.entry("safe", text(text -> text)),
          Map.entry("escape", text(TextFilters::escape)),
          Map.entry("e", text(TextFilters::escape)),
          Map.entry("trim", TextFilters::trim),
          Map.entry("replace", TextFilters::replace),
          Map.entry("indent", TextFilters::indent),
          Map.entry("center", TextFilters::center),
          Map.entry("wordcount", TextFilters::wordcount),
          Map.entry("format", TextFilters::format),
          Map.entry("truncate", TextFilters::truncate));

  private TextFilters() {}

  private static Filter text(UnaryOperator<String> operator) {
    return (run, value, given) -> {
      given.bind("a filter of texts");
      return run.text(operator.apply(PythonText.of(run, value)));
    };
  }

  /** Jinja's own: words begin behind white space, hyphens and brackets. */
  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean begins = true;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(begins ? Character.toTitleCase(c) : Character.toLowerCase(c));
      begins = TextOps.isSpace(c) || "-({[<".indexOf(c) >= 0;
    }
    return out.toString();
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("'", "&#39;")
        .replace("\"", "&#34;");
  }

  private static Value trim(Run run, Value value, Given given) {
    return run.text(
        TextOps.strip(
            PythonText.of(run, value), given.bind("trim", "chars").textOrNull(0), true, true));
  }

  private static Value replace(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("replace", "old", "new", "count");
    return run.text(
        TextOps.replace(
            run,
            PythonText.of(run, value),
            PythonText.of(run, bound.require(0)),
            PythonText.of(run, bound.require(1)),
            bound.number(2, -1)));
  }

  private static Value indent(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("indent", "width", "first", "blank");
    String by =
        bound.or(0, Value.of(4)) instanceof Value.Text text
            ? text.text()
            : " ".repeat(Math.clamp(bound.number(0, 4), 0, 1000));
    String[] lines = PythonText.of(run, value).split("\n", -1);
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < lines.length; i++) {
      boolean indented =
          i == 0 ? bound.truth(1, false) : !lines[i].isEmpty() || bound.truth(2, false);
      out.append(i > 0 ? "\n" : "").append(indented ? by : "").append(lines[i]);
      run.checkLength(out.length());
    }
    return run.text(out.toString());
  }

  private static Value center(Run run, Value value, Given given) {
    String text = PythonText.of(run, value);
    int width = given.bind("center", "width").number(0, 80);
    int room = Math.max(0, Math.min(width, 1 << 20) - TextOps.length(text));
    int left = room / 2 + (room & width & 1);
    return run.text(" ".repeat(left) + text + " ".repeat(room - left));
  }

  private static Value wordcount(Run run, Value value, Given given) {
    given.bind("wordcount");
    long words =
        PythonText.of(run, value)
            .codePoints()
            .mapToObj(c -> Character.isLetterOrDigit(c) || c == '_')
            .reduce(
                new long[] {0, 0},
                (state, inside) ->
                    new long[] {state[0] + (inside && state[1] == 0 ? 1 : 0), inside ? 1 : 0},
                (a, b) -> b)[0];
    return Value.of(words);
  }

  private static Value format(Run run, Value value, Given given) {
    if (!given.named().isEmpty()) {
      throw new Fault("'format' takes values without names here");
    }
    List<Value> values = given.positional();
    return run.text(Formatting.percent(run, PythonText.of(run, value), values));
  }

  private static Value truncate(Run run, Value value, Given given) {
    Given.Bound bound = given.bind("truncate", "length", "killwords", "end", "leeway");
    String text = PythonText.of(run, value);
    int length = bound.number(0, 255);
    String end = bound.text(2, "...");
    if (TextOps.length(text) <= (long) length + bound.number(3, 5)) {
      return Value.of(text);
    }
    int kept = Math.max(0, length - TextOps.length(end));
    String start =
        text.substring(0, text.offsetByCodePoints(0, Math.min(kept, TextOps.length(text))));
    int space = start.lastIndexOf(' ');
    return run.text((bound.truth(1, false) || space < 0 ? start : start.substring(0, space)) + end);
  }
}
