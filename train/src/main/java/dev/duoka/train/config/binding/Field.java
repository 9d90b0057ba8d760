package dev.duoka.train.config.binding;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * One field of a section, as a record component declares it.
 *
 * @param name its name in the file
 * @param component the record component
 * @param optional whether its type is an {@code Optional}
 * @param type the type of the value, without the {@code Optional} around it
 * @param doc its documentation
 */
record Field(String name, RecordComponent component, boolean optional, Type type, Doc doc) {
  /** The fields of a record in the order of their declaration. */
  static List<Field> of(Class<?> section) {
    return Arrays.stream(section.getRecordComponents()).map(Field::of).toList();
  }

  private static Field of(RecordComponent component) {
    Doc doc = component.getAnnotation(Doc.class);
    if (doc == null) {
      throw new IllegalStateException(component + " has no @Doc");
    }
    String name = doc.name().isEmpty() ? snakeCase(component.getName()) : doc.name();
    Type generic = component.getGenericType();
    if (generic == OptionalInt.class) {
      return new Field(name, component, true, int.class, doc);
    }
    if (generic == OptionalLong.class) {
      return new Field(name, component, true, long.class, doc);
    }
    if (generic == OptionalDouble.class) {
      return new Field(name, component, true, double.class, doc);
    }
    if (generic instanceof ParameterizedType wrapped && wrapped.getRawType() == Optional.class) {
      return new Field(name, component, true, wrapped.getActualTypeArguments()[0], doc);
    }
    return new Field(name, component, false, generic, doc);
  }

  /** Whether the field is a section of its own, and cannot be written as text. */
  boolean isSection() {
    return type instanceof Class<?> raw && makesSection(raw) && !TextForm.isWrittenAsText(raw);
  }

  /** What the elements of a list are if they may be sections; empty for any other field. */
  Optional<Class<?>> sectionsOfList() {
    return type instanceof ParameterizedType generic
            && generic.getRawType() == List.class
            && generic.getActualTypeArguments()[0] instanceof Class<?> element
            && makesSection(element)
        ? Optional.of(element)
        : Optional.empty();
  }

  /** Whether a type is a record of documented fields. */
  static boolean makesSection(Class<?> type) {
    return type.isRecord()
        && Arrays.stream(type.getRecordComponents())
            .allMatch(component -> component.isAnnotationPresent(Doc.class));
  }

  /** The value as the component holds it: inside its {@code Optional}, if it has one. */
  Object wrap(Object value) {
    if (!optional) {
      return value;
    }
    return switch (value) {
      case Integer number -> OptionalInt.of(number);
      case Long number -> OptionalLong.of(number);
      case Double number -> OptionalDouble.of(number);
      default -> Optional.of(value);
    };
  }

  /** What an {@code Optional} component holds when the field is left out. */
  Object absent() {
    Class<?> raw = component.getType();
    if (raw == OptionalInt.class) {
      return OptionalInt.empty();
    }
    if (raw == OptionalLong.class) {
      return OptionalLong.empty();
    }
    return raw == OptionalDouble.class ? OptionalDouble.empty() : Optional.empty();
  }

  /** The value inside an {@code Optional} component, or the value itself; empty if absent. */
  static Optional<Object> unwrap(Object held) {
    return switch (held) {
      case OptionalInt number ->
          number.isPresent() ? Optional.of(number.getAsInt()) : Optional.empty();
      case OptionalLong number ->
          number.isPresent() ? Optional.of(number.getAsLong()) : Optional.empty();
      case OptionalDouble number ->
          number.isPresent() ? Optional.of(number.getAsDouble()) : Optional.empty();
      case Optional<?> value -> value.map(present -> (Object) present);
      default -> Optional.of(held);
    };
  }

  private static String snakeCase(String name) {
    return name.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
  }
}
