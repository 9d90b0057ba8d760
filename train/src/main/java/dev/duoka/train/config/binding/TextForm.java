package dev.duoka.train.config.binding;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The text form of values that are written as one word: enums, and types with a text parser. */
final class TextForm {
  private TextForm() {}

  /**
   * Whether the type has a {@code public static T parse(String)}, the inverse of its {@code
   * toString}, which throws an {@code IllegalArgumentException} that says what is wanted.
   */
  static boolean isWrittenAsText(Class<?> type) {
    return parser(type).isPresent();
  }

  /**
   * Calls the type's {@code parse}.
   *
   * @throws IllegalArgumentException saying what is wanted instead
   */
  static Object parse(Class<?> type, String text) {
    Method parser = parser(type).orElseThrow();
    try {
      return parser.invoke(null, text);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException wanted) {
        throw wanted;
      }
      throw new IllegalStateException(parser + " failed on '" + text + "'", e.getCause());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(parser + " must be public", e);
    }
  }

  /**
   * An enum's constants that a file may name, by the names that it writes.
   *
   * @param range as in {@link Doc#range}; empty for all
   */
  static Map<String, Object> choices(Class<?> type, String range) {
    Map<String, Object> all = new LinkedHashMap<>();
    for (Object constant : type.getEnumConstants()) {
      all.put(name((Enum<?>) constant), constant);
    }
    if (!range.isEmpty()) {
      all.keySet().retainAll(List.of(range.split(", ")));
    }
    return all;
  }

  /** The name of an enum constant as a file writes it. */
  static String name(Enum<?> constant) {
    return constant.toString().toLowerCase(Locale.ROOT);
  }

  private static Optional<Method> parser(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods())
        .filter(method -> method.getName().equals("parse"))
        .filter(method -> Modifier.isStatic(method.getModifiers()))
        .filter(method -> method.getReturnType() == type)
        .filter(method -> Arrays.equals(method.getParameterTypes(), new Class<?>[] {String.class}))
        .findFirst();
  }
}
