package dev.duoka.train.config.binding;

/**
 * A field whose value differs between two configurations.
 *
 * @param key its dotted path
 * @param before its value in the first; empty if it is not set there
 * @param after its value in the second; empty if it is not set there
 */
public record FieldChange(String key, String before, String after) {
  /** For example {@code training.steps: 300 → 600}. */
  @Override
  public String toString() {
    return key + ": " + shown(before) + " → " + shown(after);
  }

  /**
   * For an error, for example {@code adapter.rank 8 in the checkpoint, 16 in the run file}.
   *
   * @param first where the first configuration is from
   * @param second where the second is from
   */
  public String text(String first, String second) {
    return key + " " + shown(before) + " in " + first + ", " + shown(after) + " in " + second;
  }

  private static String shown(String value) {
    return value.isEmpty() ? "not set" : value;
  }
}
