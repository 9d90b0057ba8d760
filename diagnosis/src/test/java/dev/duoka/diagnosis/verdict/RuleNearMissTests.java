package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.diagnosis.rule.Rule;
import dev.duoka.diagnosis.rule.RuleBook;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The near miss that each rule carries: a log like its example, about which it must be silent. */
final class RuleNearMissTests {
  static Stream<String> rules() {
    return RuleBook.standard().rules().stream()
        .filter(rule -> rule.role().canStandAlone())
        .map(Rule::id);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void theRuleStaysSilent(String id) {
    Rule rule = RuleBook.standard().rule(id);
    assertThat(rule.nearMiss()).as("near_miss of " + id).isNotBlank();
    assertThat(rule.nearMiss()).isNotEqualTo(rule.example());
    Diagnosis diagnosis = Logs.diagnose(rule.nearMiss() + "\n");
    Pattern name = Pattern.compile(id.replaceAll("\\{\\w+\\}", "\\\\w+"));
    assertThat(diagnosis.findings())
        .extracting(Finding::rootCause)
        .noneMatch(cause -> name.matcher(cause).matches());
    assertThat(lines(diagnosis)).extracting(Evidence::rule).doesNotContain(id);
  }

  private static List<Evidence> lines(Diagnosis diagnosis) {
    return Stream.concat(
            diagnosis.survived().stream(),
            diagnosis.findings().stream()
                .flatMap(
                    finding ->
                        Stream.concat(
                            finding.evidence().stream(), finding.consequences().stream())))
        .toList();
  }
}
