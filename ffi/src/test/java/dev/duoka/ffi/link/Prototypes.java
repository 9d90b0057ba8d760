package dev.duoka.ffi.link;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The functions of {@code prototypes.h}, each type reduced to how it is passed. */
final class Prototypes {
  /** How a C type is passed. */
  enum Passed {
    POINTER,
    BOOLEAN,
    INTEGER_32,
    INTEGER_64,
    FLOAT,
    DOUBLE,
    NOTHING
  }

  /** A function's result, then its arguments. */
  record Prototype(Passed result, List<Passed> arguments) {}

  private static final Map<String, Passed> BASIC =
      Map.ofEntries(
          Map.entry("void", Passed.NOTHING),
          Map.entry("_Bool", Passed.BOOLEAN),
          Map.entry("int", Passed.INTEGER_32),
          Map.entry("unsigned int", Passed.INTEGER_32),
          Map.entry("int32_t", Passed.INTEGER_32),
          Map.entry("uint32_t", Passed.INTEGER_32),
          Map.entry("int64_t", Passed.INTEGER_64),
          Map.entry("uint64_t", Passed.INTEGER_64),
          Map.entry("size_t", Passed.INTEGER_64),
          Map.entry("unsigned long long", Passed.INTEGER_64),
          Map.entry("float", Passed.FLOAT),
          Map.entry("double", Passed.DOUBLE));
  private static final Pattern TYPEDEF = Pattern.compile("typedef (.+?)(\\*?) ?(\\w+)");
  private static final Pattern FUNCTION = Pattern.compile("(.+?)(\\w+) ?\\((.*)\\)");

  private final Map<String, Passed> types = new HashMap<>(BASIC);
  private final Map<String, Prototype> functions = new HashMap<>();

  private Prototypes() {}

  static Prototypes read() {
    try {
      return parse(Files.readString(MadeUpLibrary.resource("prototypes.h")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Prototypes parse(String header) {
    Prototypes prototypes = new Prototypes();
    String text =
        header
            .replaceAll("(?s)/\\*.*?\\*/", " ")
            .replaceAll("(?m)^#.*$", " ")
            .replaceAll("(?s)\\{.*?\\}", " ") // the fields of structs: passed by pointer only
            .replaceAll("\\bconst\\b", " ")
            .replaceAll("\\s+", " ");
    for (String statement : text.split(";")) {
      prototypes.add(statement.strip());
    }
    return prototypes;
  }

  Prototype of(String name) {
    return Objects.requireNonNull(
        functions.get(name), () -> name + " is bound but not in prototypes.h: add it");
  }

  private void add(String statement) {
    if (statement.isEmpty()) {
      return;
    }
    Matcher typedef = TYPEDEF.matcher(statement);
    if (typedef.matches()) {
      if (!typedef.group(2).isEmpty()) {
        types.put(typedef.group(3), Passed.POINTER);
      } else if (!typedef.group(1).startsWith("struct ")) {
        types.put(typedef.group(3), passed(typedef.group(1)));
      }
      return;
    }
    Matcher function = FUNCTION.matcher(statement);
    if (!function.matches()) {
      throw new IllegalArgumentException("cannot parse: " + statement);
    }
    List<Passed> arguments = new ArrayList<>();
    for (String argument : function.group(3).split(",")) {
      if (!argument.strip().equals("void")) {
        // A type and a name; the type ends where the name begins.
        arguments.add(passed(argument.strip().replaceFirst("\\w+$", "")));
      }
    }
    functions.put(function.group(2), new Prototype(passed(function.group(1)), arguments));
  }

  private Passed passed(String type) {
    if (type.contains("*")) {
      return Passed.POINTER;
    }
    return Objects.requireNonNull(types.get(type.strip()), () -> "unknown type: " + type);
  }
}
