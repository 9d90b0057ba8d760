package dev.duoka.diagnosis.rule;

import dev.duoka.formats.json.JsonFields;
import dev.duoka.formats.yaml.YamlData;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** All rules, and the automaton that finds their words. */
public final class RuleBook {
  /** The families of rules: one YAML file each, in the order of the documentation. */
  static final List<String> FAMILIES =
      List.of(
          "memory",
          "nccl",
          "watchdog",
          "network",
          "hardware",
          "driver",
          "software",
          "cuda",
          "numerics",
          "data",
          "storage",
          "config",
          "launch",
          "duoka",
          "general");

  private static final RuleBook STANDARD = load();

  private final Map<String, Rule> rules;
  private final List<PatternUse> uses = new ArrayList<>();
  private final KeywordAutomaton automaton;
  private final int[][] usesOfWord;
  private final boolean[] progressWords;

  /**
   * One pattern of a rule.
   *
   * @param index where the pattern stands in the rule: the most telling is 0
   */
  public record PatternUse(Rule rule, int index, LinePattern pattern) {}

  private RuleBook(Map<String, Rule> rules) {
    this.rules = rules;
    Map<String, List<Integer>> byWord = new LinkedHashMap<>();
    for (Rule rule : rules.values()) {
      for (int i = 0; i < rule.patterns().size(); i++) {
        LinePattern pattern = rule.patterns().get(i);
        for (String word : pattern.words()) {
          byWord.computeIfAbsent(word, w -> new ArrayList<>()).add(uses.size());
        }
        uses.add(new PatternUse(rule, i, pattern));
      }
    }
    Set<String> progress = new HashSet<>();
    LineKinds.progress().stream()
        .flatMap(rule -> rule.patterns().stream())
        .forEach(pattern -> progress.addAll(pattern.words()));
    progress.forEach(word -> byWord.computeIfAbsent(word, w -> new ArrayList<>()));
    progressWords = new boolean[byWord.size()];
    int index = 0;
    for (String word : byWord.keySet()) {
      progressWords[index++] = progress.contains(word);
    }
    automaton = KeywordAutomaton.of(List.copyOf(byWord.keySet()));
    usesOfWord =
        byWord.values().stream()
            .map(list -> list.stream().mapToInt(Integer::intValue).toArray())
            .toArray(int[][]::new);
  }

  /** The rules that belong to the program. */
  public static RuleBook standard() {
    return STANDARD;
  }

  private static RuleBook load() {
    Map<String, Rule> rules = new LinkedHashMap<>();
    for (String family : FAMILIES) {
      for (JsonFields fields :
          YamlData.resource(RuleBook.class, family + ".yaml").objects("rules")) {
        add(rules, RuleReader.read(fields));
      }
      if (family.equals("hardware")) {
        XidRules.all().forEach(rule -> add(rules, rule));
      }
    }
    return new RuleBook(rules);
  }

  private static void add(Map<String, Rule> rules, Rule rule) {
    if (rules.put(rule.id(), rule) != null) {
      throw new IllegalStateException("two rules are called " + rule.id());
    }
  }

  /** All rules in the order of the files. */
  public List<Rule> rules() {
    return List.copyOf(rules.values());
  }

  /** The rule of this id, which must exist. */
  public Rule rule(String id) {
    Rule rule = rules.get(id);
    if (rule == null) {
      throw new IllegalArgumentException("there is no rule " + id);
    }
    return rule;
  }

  /** Whether lines with the automaton's word may show progress of the run. */
  public boolean isProgressWord(int word) {
    return progressWords[word];
  }

  /** The automaton over the words of all patterns. */
  public KeywordAutomaton automaton() {
    return automaton;
  }

  /** All patterns, numbered. */
  public List<PatternUse> uses() {
    return uses;
  }

  /** The numbers of the patterns that have the automaton's word. */
  public int[] usesOfWord(int word) {
    return usesOfWord[word];
  }
}
