package dev.duoka.diagnosis.rule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class RuleBookTests {
  private static final List<Rule> RULES = RuleBook.standard().rules();

  @Test
  void everyReportedRuleSaysEverything() {
    for (Rule rule : RULES) {
      if (rule.role().canStandAlone()) {
        assertThat(rule.what()).as(rule.id()).isNotBlank();
        assertThat(rule.why()).as(rule.id()).isNotBlank();
        assertThat(rule.fix()).as(rule.id()).isNotBlank();
        assertThat(rule.sources()).as(rule.id()).isNotEmpty();
        assertThat(rule.example()).as(rule.id()).isNotBlank();
        assertThat(rule.confidence()).as(rule.id()).isBetween(0.2, 0.97);
      }
    }
  }

  @Test
  void everyRuleHasLinesOrTakesThemFromAnother() {
    for (Rule rule : RULES) {
      assertThat(
              !rule.patterns().isEmpty()
                  || rule.refines().isPresent()
                  || rule.decidedBy().isPresent())
          .as(rule.id())
          .isTrue();
    }
  }

  @Test
  void rulesThatAreReferredToExist() {
    Set<String> ids = RULES.stream().map(Rule::id).collect(Collectors.toSet());
    for (Rule rule : RULES) {
      rule.refines().ifPresent(base -> assertThat(ids).as(rule.id()).contains(base));
      rule.near().ifPresent(near -> assertThat(ids).as(rule.id()).containsAll(near.rules()));
      for (List<String> patterns : List.of(rule.explains(), rule.needs(), rule.without())) {
        for (String pattern : patterns) {
          assertThat(ids)
              .as(rule.id() + " names " + pattern)
              .anyMatch(id -> Rule.matches(pattern, id));
        }
      }
    }
  }

  @Test
  void wordsAreLongEnoughToBeRare() {
    for (RuleBook.PatternUse use : RuleBook.standard().uses()) {
      assertThat(use.pattern().words())
          .as(use.rule().id())
          .isNotEmpty()
          .allSatisfy(word -> assertThat(word.length()).isGreaterThanOrEqualTo(3));
    }
  }
}
