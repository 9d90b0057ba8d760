package dev.duoka.experiment.tune;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One choice of settings.
 *
 * @param settings values by the run file's fields, in the order of {@link Choices}; none for the
 *     run file as it is
 */
public record Candidate(Map<String, String> settings) {
  /** The run file as it is. */
  static final Candidate AS_IT_IS = new Candidate(Map.of());

  public Candidate {
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
  }

  /** Of the run file, {@code KEY=VALUE} each. */
  public List<String> overrides() {
    List<String> overrides = new ArrayList<>();
    settings.forEach((key, value) -> overrides.add(key + "=" + value));
    return overrides;
  }

  Candidate with(String key, String value) {
    Map<String, String> all = new LinkedHashMap<>(settings);
    all.put(key, value);
    return new Candidate(all);
  }

  /** Those of its settings whose fields are among these. */
  Candidate only(Collection<String> fields) {
    Map<String, String> some = new LinkedHashMap<>(settings);
    some.keySet().retainAll(fields);
    return new Candidate(some);
  }

  /** What it sets otherwise than another one, {@code KEY=VALUE} each. */
  List<String> beside(Candidate other) {
    List<String> changed = new ArrayList<>();
    settings.forEach(
        (key, value) -> {
          if (!value.equals(other.settings.get(key))) {
            changed.add(key + "=" + value);
          }
        });
    return changed;
  }

  /** For people. */
  @Override
  public String toString() {
    return settings.isEmpty() ? "as it is" : String.join(" ", overrides());
  }
}
