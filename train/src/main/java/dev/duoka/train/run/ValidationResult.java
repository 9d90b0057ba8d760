package dev.duoka.train.run;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What was measured on what is held out.
 *
 * @param loss the mean over all of it: cross-entropy of the next token, or the loss of pairs
 * @param numbers by name, in the order of the run file: losses of single sources, what is known of
 *     pairs
 */
public record ValidationResult(double loss, Map<String, Double> numbers) {
  public ValidationResult {
    numbers = Collections.unmodifiableMap(new LinkedHashMap<>(numbers));
  }
}
