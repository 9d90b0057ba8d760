package dev.duoka.data.jinja;

import dev.duoka.data.jinja.Value.Sequence;
import dev.duoka.data.jinja.Value.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** The methods of a Python text. */
final class TextMethods {
  private TextMethods() {}

  /** The method of that name; null where there is none. */
  static @Nullable Value of(String text, String name) {
    return switch (name) {
      case "strip" -> strip(text, name, true, true);
      case "lstrip" -> strip(text, name, true, false);
      case "rstrip" -> strip(text, name, false, true);
      case "upper" -> made(name, () -> text.toUpperCase(Locale.ROOT));
      case "lower", "casefold" -> made(name, () -> text.toLowerCase(Locale.ROOT));
      case "title" -> made(name, () -> TextOps.title(text));
      case "capitalize" -> made(name, () -> capitalize(text));
      case "split" -> split(text, name, false);
      case "rsplit" -> split(text, name, true);
      case "splitlines" -> Methods.without(name, (run, given) -> lines(run, text));
      case "startswith" -> edge(text, name, true);
      case "endswith" -> edge(text, name, false);
      case "removeprefix", "removesuffix" ->
          Builtin.of(
              name,
              (run, given) -> {
                String part = given.bind(name, "part").text(0);
                boolean front = name.equals("removeprefix");
                boolean there = front ? text.startsWith(part) : text.endsWith(part);
                return run.text(
                    !there
                        ? text
                        : front
                            ? text.substring(part.length())
                            : text.substring(0, text.length() - part.length()));
              });
      case "replace" ->
          Builtin.of(
              name,
              (run, given) -> {
                Given.Bound bound = given.bind(name, "old", "new", "count");
                return run.text(
                    TextOps.replace(run, text, bound.text(0), bound.text(1), bound.number(2, -1)));
              });
      case "find", "rfind", "index" -> find(text, name);
      case "count" ->
          Builtin.of(
              name,
              (run, given) ->
                  Value.of((long) TextOps.count(text, given.bind(name, "part").text(0))));
      case "join" ->
          Builtin.of(
              name,
              (run, given) -> {
                StringBuilder out = new StringBuilder();
                String between = "";
                for (Value item : Access.items(run, given.bind(name, "items").require(0))) {
                  if (!(item instanceof Text word)) {
                    throw new Fault("'join' needs texts, and gets " + Operators.kind(item));
                  }
                  out.append(between).append(word.text());
                  run.checkLength(out.length());
                  between = text;
                }
                return run.text(out.toString());
              });
      case "format" -> Builtin.of(name, (run, given) -> Formatting.braces(run, text, given));
      case "isdigit", "isnumeric", "isdecimal" -> all(text, name, Character::isDigit);
      case "isalpha" -> all(text, name, Character::isLetter);
      case "isalnum" -> all(text, name, Character::isLetterOrDigit);
      case "isspace" -> all(text, name, TextOps::isSpace);
      case "isupper" -> letterCase(text, name, true);
      case "islower" -> letterCase(text, name, false);
      default -> null;
    };
  }

  /** The first letter large, the others small. */
  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.codePointAt(0);
    return Character.toString(Character.toTitleCase(first))
        + text.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
  }

  private static Value strip(String text, String name, boolean left, boolean right) {
    return Builtin.of(
        name,
        (run, given) ->
            run.text(TextOps.strip(text, given.bind(name, "chars").textOrNull(0), left, right)));
  }

  private static Value made(String name, java.util.function.Supplier<String> result) {
    return Methods.without(name, (run, given) -> run.text(result.get()));
  }

  private static Value split(String text, String name, boolean fromRight) {
    return Builtin.of(
        name,
        (run, given) -> {
          Given.Bound bound = given.bind(name, "sep", "maxsplit");
          String separator = bound.textOrNull(0);
          int most = bound.number(1, -1);
          if (separator == null && fromRight && most >= 0) {
            throw new Fault("'rsplit' with a number of parts needs a separator here");
          }
          List<String> parts =
              separator == null
                  ? TextOps.splitAtSpace(text, most)
                  : TextOps.split(text, separator, most, fromRight);
          return list(run, parts);
        });
  }

  private static Value lines(Run run, String text) {
    List<String> lines =
        new ArrayList<>(
            List.of(text.split("\r\n|[\n\r\u000B\f\u001C-\u001E\u0085\u2028\u2029]", -1)));
    if (lines.getLast().isEmpty()) {
      lines.removeLast();
    }
    return list(run, lines);
  }

  private static Value list(Run run, List<String> texts) {
    List<Value> items = new ArrayList<>();
    texts.forEach(part -> items.add(Value.of(part)));
    return Value.list(run.items(items));
  }

  private static Value edge(String text, String name, boolean front) {
    return Builtin.of(
        name,
        (run, given) -> {
          Given.Bound bound = given.bind(name, "part");
          Value part = bound.require(0);
          List<Value> parts =
              part instanceof Sequence tuple && tuple.kind() == Sequence.Kind.TUPLE
                  ? tuple.items()
                  : List.of(part);
          for (Value one : parts) {
            Operators.refuseUndefined(one);
            if (!(one instanceof Text words)) {
              throw new Fault(
                  "'%s' needs a text, and gets %s".formatted(name, Operators.kind(one)));
            }
            if (front ? text.startsWith(words.text()) : text.endsWith(words.text())) {
              return Value.of(true);
            }
          }
          return Value.of(false);
        });
  }

  private static Value find(String text, String name) {
    return Builtin.of(
        name,
        (run, given) -> {
          String part = given.bind(name, "part").text(0);
          int at = name.equals("rfind") ? text.lastIndexOf(part) : text.indexOf(part);
          if (at < 0 && name.equals("index")) {
            throw new Fault("'index' does not find '" + part + "'");
          }
          return Value.of(at < 0 ? -1L : text.codePointCount(0, at));
        });
  }

  private static Value all(String text, String name, IntPredicate is) {
    return Methods.without(
        name, (run, given) -> Value.of(!text.isEmpty() && text.codePoints().allMatch(is)));
  }

  private static Value letterCase(String text, String name, boolean upper) {
    return Methods.without(name, (run, given) -> Value.of(hasCase(text, upper)));
  }

  /** Whether a text has letters, and all of them are large or all small. */
  static boolean hasCase(String text, boolean upper) {
    boolean some =
        text.codePoints().anyMatch(upper ? Character::isUpperCase : Character::isLowerCase);
    return some
        && text.codePoints().noneMatch(upper ? Character::isLowerCase : Character::isUpperCase);
  }
}
