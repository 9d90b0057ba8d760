package dev.duoka.doctor.check;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A version as numbers, so that 9.10 is later than 9.9. What follows the numbers, such as {@code
 * +cu130}, does not count.
 *
 * @param numbers the numbers in order
 */
record Version(List<Integer> numbers) implements Comparable<Version> {
  private static final Pattern NUMBERS =
      Pattern.compile("\\s*v?(\\d{1,9}(?:\\.\\d{1,9})*).*", Pattern.DOTALL);

  /** The numbers at the start of a text; none where it starts with something else. */
  static Version of(String text) {
    Matcher matcher = NUMBERS.matcher(text);
    return new Version(
        matcher.matches()
            ? Arrays.stream(matcher.group(1).split("\\.")).map(Integer::valueOf).toList()
            : List.of());
  }

  int major() {
    return number(0);
  }

  int number(int position) {
    return position < numbers.size() ? numbers.get(position) : 0;
  }

  boolean isKnown() {
    return !numbers.isEmpty();
  }

  /** Whether it is older, as far as both are told: 9.17.1 is not before 9.17.1.4. */
  boolean isBefore(Version other) {
    int common = Math.min(numbers.size(), other.numbers.size());
    return new Version(numbers.subList(0, common))
            .compareTo(new Version(other.numbers.subList(0, common)))
        < 0;
  }

  boolean isBefore(String other) {
    return isBefore(of(other));
  }

  /** Major and minor number only, for example {@code 2.11}. */
  String majorMinor() {
    return number(0) + "." + number(1);
  }

  @Override
  public int compareTo(Version other) {
    for (int i = 0; i < Math.max(numbers.size(), other.numbers.size()); i++) {
      int order = Integer.compare(number(i), other.number(i));
      if (order != 0) {
        return order;
      }
    }
    return 0;
  }
}
