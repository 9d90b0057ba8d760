package dev.duoka.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JinjaLimitsTests {
  private static final Limits SMALL = new Limits(400, 12, 5_000, 1_000, 60);

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      value = {
        "{% for i in range(900) %}{% for j in range(900) %}{% endfor %}{% endfor %} @ 5000 steps",
        "{% for i in range(800) %}{{ 'ab' }}{% endfor %} @ 1000 characters or items",
        "{{ 'a' * 100000000000 }} @ 1000 characters or items",
        "{{ [1] * 5000000000 }} @ 1000 characters or items",
        "{{ 'a' * 9223372036854775807 * 3 }} @ 1000 characters or items",
        "{% set ns = namespace(x='ab') %}{% for i in range(40) %}{% set ns.x = ns.x ~ ns.x %}"
            + "{% endfor %} @ 1000 characters or items",
        "{% set ns = namespace(x='ab') %}{% for i in range(40) %}"
            + "{% set ns.x = ns.x.replace('a', 'aa') %}{% endfor %} @ 1000 characters or items",
        "{% set ns = namespace(x=[1, 2]) %}{% for i in range(40) %}{% set ns.x = ns.x + ns.x %}"
            + "{% endfor %} @ 1000 characters or items",
        "{{ range(100000) | list | length }} @ 1000 characters or items",
        "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }} @ 60 deep, the limit of depth",
        "{% set ns = namespace(x=1) %}{% for i in range(300) %}{% set ns.x = [ns.x] %}{% endfor %}"
            + " @ more than 200 levels",
        "{{ 2 ** 64 }} @ more than 64 bits",
        "{{ 'x' | indent(900) | center(3000) }} @ 1000 characters or items",
      })
  void namesTheLimitAndThePlace(String template, String limit) {
    Jinja parsed = Jinja.parse("t.jinja", template, SMALL);
    assertThatThrownBy(() -> parsed.render(Map.of(), JinjaGoldenTests.NOW))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.DATA))
        .hasMessageContaining("cannot render the chat template t.jinja at line 1, column ")
        .hasMessageContaining(limit);
  }

  @Test
  void aLongSumIsDeepOnlyWhenItIsComputed() {
    Jinja sum = Jinja.parse("t", "{{ " + "1+".repeat(100) + "1 }}", SMALL);
    assertThatThrownBy(() -> sum.render(Map.of(), JinjaGoldenTests.NOW))
        .hasMessageContaining("limit of depth");
    String long200 = "{{ " + "1+".repeat(200) + "1 }}";
    assertThat(
            Jinja.parse("t", long200, Limits.USUAL).render(Map.of(), JinjaGoldenTests.NOW).text())
        .isEqualTo("201");
  }

  @Test
  void templatesAreLimited() {
    for (String deep :
        List.of(
            "(".repeat(5_000) + ")".repeat(5_000),
            "[".repeat(5_000) + "]".repeat(5_000),
            "not ".repeat(5_000) + "1",
            "-".repeat(5_000) + "1",
            "1 if 1 else ".repeat(5_000) + "1")) {
      refuses("{{ " + deep + " }}", Limits.USUAL, "limit of nesting");
    }
    refuses("{% if x %}".repeat(5_000), Limits.USUAL, "limit of nesting");
    refuses("x".repeat(401), SMALL, "it has 401 characters, and the limit is 400");
  }

  @Test
  void errorsNameLineAndColumn() {
    refuses("a\n{% if x %}\n  {{ y + }}\n{% endif %}", Limits.USUAL, "line 3, column 10");
    refuses("\n {{ x | upcase }}", Limits.USUAL, "line 2, column 7", "'upcase'");
    refuses("{% include 'x' %}", Limits.USUAL, "'include' is no statement");
    Jinja late = Jinja.parse("t", "a\n\n  {{ x.y.z }}", Limits.USUAL);
    assertThatThrownBy(() -> late.render(Map.of(), JinjaGoldenTests.NOW))
        .hasMessageContaining("line 3, column 7")
        .hasMessageContaining("'x' is not defined");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      value = {
        "{{ ''.__class__.__mro__ }}",
        "{{ x.getClass() }}",
        "{{ x['class'].forName('java.lang.System') }}",
        "{{ range.__globals__ }}",
        "{{ namespace().getClass().getName() }}",
        "{{ dict().self.forName('x') }}",
        "{{ raise_exception.body() }}",
      })
  void nothingOfJavaIsReachable(String template) {
    Jinja parsed = Jinja.parse("t", template, Limits.USUAL);
    Map<String, Value> variables = Map.of("x", Value.of("text"));
    try {
      assertThat(parsed.render(variables, JinjaGoldenTests.NOW).text()).isEmpty();
    } catch (DuokaException e) {
      assertThat(e).hasMessageContaining("has nothing called").hasNoSuppressedExceptions();
    }
  }

  private static void refuses(String template, Limits limits, String... parts) {
    assertThatThrownBy(() -> Jinja.parse("t", template, limits))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG))
        .hasMessageContainingAll(parts);
  }
}
