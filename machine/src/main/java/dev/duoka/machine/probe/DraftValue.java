package dev.duoka.machine.probe;

/** What a source says of one field: the driver's library gives numbers, tools print text. */
sealed interface DraftValue {
  /** What a tool printed. */
  record Text(String printed) implements DraftValue {
    @Override
    public boolean isMissing() {
      return FieldText.isMissing(printed);
    }
  }

  /** A whole number, in the field's unit; bytes for memory. */
  record Whole(long value) implements DraftValue {}

  /** A number, in the field's unit. */
  record Real(double value) implements DraftValue {}

  /** Yes or no. */
  record Flag(boolean value) implements DraftValue {}

  /** Whether the source says that there is no value. */
  default boolean isMissing() {
    return false;
  }

  /** As a number that may have a fraction. */
  default Reading<Double> number() {
    return switch (this) {
      case Text(String printed) -> FieldText.number(printed);
      case Whole(long value) -> Reading.of((double) value);
      case Real(double value) -> Reading.of(value);
      case Flag _ -> Reading.unknown("yes or no is no number");
    };
  }

  /** As a whole number. */
  default Reading<Long> whole() {
    return switch (this) {
      case Text(String printed) -> FieldText.whole(printed);
      case Whole(long value) -> Reading.of(value);
      case Real(double value) -> Reading.of((long) value);
      case Flag _ -> Reading.unknown("yes or no is no number");
    };
  }

  /** As a small whole number. */
  default Reading<Integer> small() {
    return this instanceof Text(String printed)
        ? FieldText.small(printed)
        : whole().map(value -> Math.clamp(value, -1_000_000, 1_000_000_000));
  }

  /** As bytes; text without a unit counts MiB. */
  default Reading<Long> bytes() {
    return this instanceof Text(String printed) ? FieldText.bytes(printed) : whole();
  }

  /** As yes or no. */
  default Reading<Boolean> flag() {
    return switch (this) {
      case Text(String printed) -> FieldText.flag(printed);
      case Flag(boolean value) -> Reading.of(value);
      case Whole _, Real _ -> Reading.unknown("a number is not yes or no");
    };
  }

  /** As text. */
  default Reading<String> text() {
    return switch (this) {
      case Text(String printed) -> FieldText.text(printed);
      case Whole(long value) -> Reading.of(Long.toString(value));
      case Real(double value) -> Reading.of(Double.toString(value));
      case Flag(boolean value) -> Reading.of(Boolean.toString(value));
    };
  }
}
