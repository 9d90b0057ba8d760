package dev.duoka.data.jinja;

import java.util.List;

/** Python's {@code "%s" % value} and {@code "{}".format(value)}, without widths. */
final class Formatting {
  private Formatting() {}

  /** {@code %s}, {@code %d} and {@code %%}. */
  static String percent(Run run, String format, List<Value> values) {
    StringBuilder out = new StringBuilder();
    int next = 0;
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i++);
      if (c != '%') {
        out.append(c);
        continue;
      }
      char kind = i < format.length() ? format.charAt(i++) : ' ';
      if (kind == '%') {
        out.append('%');
        continue;
      }
      if (kind != 's' && kind != 'd') {
        throw new Fault("a format may have %s, %d and %% here, not '%" + kind + "'");
      }
      if (next == values.size()) {
        throw new Fault("a format has more places than values");
      }
      Value value = values.get(next++);
      out.append(
          kind == 'd'
              ? Long.toString(
                  value instanceof Value.Real real
                      ? (long) real.number()
                      : Operators.whole(value, "%d"))
              : PythonText.of(run, value));
      run.checkLength(out.length());
    }
    if (next < values.size()) {
      throw new Fault("a format has fewer places than values");
    }
    return out.toString();
  }

  /** {@code {}}, {@code {0}}, {@code {name}} and doubled braces. */
  static Value braces(Run run, String format, Given given) {
    StringBuilder out = new StringBuilder();
    int next = 0;
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if ((c == '{' || c == '}') && i + 1 < format.length() && format.charAt(i + 1) == c) {
        out.append(c);
        i++;
      } else if (c == '{') {
        int end = format.indexOf('}', i);
        if (end < 0) {
          throw new Fault("a format has a '{' without its '}'");
        }
        String name = format.substring(i + 1, end);
        Value value = name.isEmpty() ? at(given, next++) : named(given, name);
        out.append(PythonText.of(run, value));
        i = end;
      } else if (c == '}') {
        throw new Fault("a format has a '}' without its '{'");
      } else {
        out.append(c);
      }
      run.checkLength(out.length());
    }
    return run.text(out.toString());
  }

  private static Value named(Given given, String name) {
    if (name.chars().allMatch(c -> c >= '0' && c <= '9') && name.length() < 6) {
      return at(given, Integer.parseInt(name));
    }
    Value value = given.named().get(name);
    if (value == null) {
      throw new Fault("a format asks for '" + name + "', which is not given");
    }
    return value;
  }

  private static Value at(Given given, int index) {
    if (index >= given.positional().size()) {
      throw new Fault("a format has more places than values");
    }
    return given.positional().get(index);
  }
}
