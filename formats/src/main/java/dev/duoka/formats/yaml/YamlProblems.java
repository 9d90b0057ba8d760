package dev.duoka.formats.yaml;

/** Hears what is wrong with a YAML text. */
@FunctionalInterface
public interface YamlProblems {
  /**
   * Adds a problem.
   *
   * @param origin where the cause stands, for example {@code run.yaml:12:3}
   * @param problem what is wrong, without the final period
   * @param remedy what to do, a whole sentence; empty for none
   */
  void add(String origin, String problem, String remedy);
}
