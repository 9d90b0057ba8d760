package dev.duoka.train.run;

import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.evaluate.ShownAnswer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What was measured on what is held out.
 *
 * @param loss the mean over all of it: cross-entropy of the next token, or the loss of pairs
 * @param numbers by name, in the order of the run file: losses of single sources, what is known of
 *     pairs, shares of right answers
 * @param answers what the model wrote beside what was expected
 */
public record ValidationResult(
    double loss, Map<String, Double> numbers, List<ShownAnswer> answers) {
  /** Without answers. */
  public ValidationResult(double loss, Map<String, Double> numbers) {
    this(loss, numbers, List.of());
  }

  /**
   * A number by its name: the loss over all, or one of {@link #numbers}; empty if there is none.
   */
  OptionalDouble of(String name) {
    if (name.equals(ValidationSettings.LOSS)) {
      return OptionalDouble.of(loss);
    }
    Double number = numbers.get(name);
    return number == null ? OptionalDouble.empty() : OptionalDouble.of(number);
  }

  public ValidationResult {
    answers = List.copyOf(answers);
    numbers = Collections.unmodifiableMap(new LinkedHashMap<>(numbers));
  }
}
