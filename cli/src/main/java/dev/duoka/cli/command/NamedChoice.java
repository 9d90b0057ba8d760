package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Reads an option whose values are the names of an enum's constants, as they print themselves. */
final class NamedChoice {
  private NamedChoice() {}

  /**
   * The constant of that name.
   *
   * @throws DuokaException with {@link ErrorCode#USAGE} and the nearest name where there is none
   */
  static <E extends Enum<E>> E of(Class<E> type, String option, String text) {
    E[] choices = type.getEnumConstants();
    List<String> names = Arrays.stream(choices).map(Enum::toString).toList();
    int index = names.indexOf(text.strip().toLowerCase(Locale.ROOT));
    if (index < 0) {
      throw new DuokaException(
          ErrorCode.USAGE, option + " '" + text + "'", NearestName.hint(text, names));
    }
    return choices[index];
  }
}
