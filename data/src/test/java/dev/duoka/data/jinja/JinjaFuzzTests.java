package dev.duoka.data.jinja;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Damaged templates: each renders or is a DuokaException, and nothing else. */
class JinjaFuzzTests {
  private static final long SEED = 20260115;

  private static final Limits LIMITS = new Limits(1 << 16, 60, 200_000, 1 << 16, 400);

  private static final List<String> WORDS =
      List.of(
          "{%",
          "%}",
          "{{",
          "}}",
          "{#",
          "#}",
          "-",
          "(",
          ")",
          "[",
          "]",
          "{",
          "}",
          "'",
          "\"",
          "|",
          ".",
          ",",
          ":",
          "~",
          "**",
          "//",
          "%",
          "*",
          "+",
          "==",
          "<",
          " in ",
          " not ",
          " is ",
          " if ",
          " else ",
          " or ",
          " for ",
          "endfor",
          "endif",
          "set",
          "macro",
          "endmacro",
          "loop",
          "ns",
          "items",
          "messages",
          "missing",
          "none",
          "true",
          "0",
          "-1",
          "9223372036854775807",
          "1e308",
          "0.0",
          "'a'",
          "[::-1]",
          "| list",
          "| tojson",
          "| map('upper')",
          "| sort",
          "| join",
          "| int",
          "| round(400)",
          "| batch(0)",
          "| slice(3)",
          "| groupby('x')",
          ".items()",
          ".split('')",
          "raise_exception",
          "range(9)",
          "\n",
          "\\",
          "😀",
          "\ud800",
          "\u0000",
          "{% generation %}",
          "{% break %}",
          "{% call f() %}",
          "{% raw %}",
          "{% filter upper %}");

  @Test
  void survivesDamagedTemplates() {
    List<JsonNode> good = JinjaGoldenTests.rendered();
    Map<String, Value> variables = JinjaGoldenTests.variables();
    Random random = new Random(SEED);
    int rendered = 0;
    int parsed = 0;
    for (int i = 0; i < 30_000; i++) {
      String template =
          damage(good.get(random.nextInt(good.size())).get("template").stringValue(), random);
      try {
        Jinja jinja = Jinja.parse("damaged", template, LIMITS);
        parsed++;
        jinja.render(variables, JinjaGoldenTests.NOW);
        rendered++;
      } catch (DuokaException e) {
        assertThat(e.getMessage()).isNotBlank();
      } catch (RuntimeException | Error e) {
        throw new AssertionError("mutation " + i + " of seed " + SEED + ": " + template, e);
      }
    }
    assertThat(parsed).as("templates that were still parsed").isBetween(1_000, 29_000);
    assertThat(rendered).as("templates that were still rendered").isBetween(500, 28_000);
  }

  private static String damage(String template, Random random) {
    StringBuilder text = new StringBuilder(template);
    for (int times = random.nextInt(1, 4); times > 0; times--) {
      int at = random.nextInt(text.length() + 1);
      int end = Math.min(text.length(), at + random.nextInt(1, 9));
      String word = WORDS.get(random.nextInt(WORDS.size()));
      switch (random.nextInt(4)) {
        case 0 -> text.delete(at, end);
        case 1 -> text.insert(at, word);
        case 2 -> text.replace(at, end, word);
        default -> text.insert(at, text.substring(at, Math.min(text.length(), at + 30)));
      }
    }
    return text.toString();
  }
}
