package dev.duoka.diagnosis.rule;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** The documentation of the diagnosis, with all rules: {@code docs/diagnosis.md}. */
public final class RuleDocs {
  private RuleDocs() {}

  /** The page in Markdown: an introduction, then the rules from the same data that are used. */
  public static String markdown() {
    StringBuilder page = new StringBuilder(introduction());
    List<Rule> rules = RuleBook.standard().rules();
    page.append("\n## Components\n\n| component | what lies there | rules |\n|---|---|---|\n");
    for (Component component : Component.values()) {
      long count =
          rules.stream().filter(rule -> shown(rule) && rule.component() == component).count();
      page.append(
          String.format(
              Locale.ROOT,
              "| [`%s`](#%s) | %s | %d |\n",
              component.label(),
              component.label(),
              component.meaning(),
              count));
    }
    page.append("\n## Roles\n\n");
    for (Role role : Role.values()) {
      page.append("- `").append(role.label()).append("`: ").append(role.meaning()).append(".\n");
    }
    page.append("\n# The rules\n");
    for (Component component : Component.values()) {
      page.append("\n## ").append(component.label()).append("\n");
      rules.stream()
          .filter(rule -> shown(rule) && rule.component() == component)
          .forEach(rule -> append(page, rule));
    }
    return page.toString();
  }

  private static boolean shown(Rule rule) {
    return rule.role().canStandAlone();
  }

  private static void append(StringBuilder page, Rule rule) {
    page.append("\n### `").append(rule.id()).append("`\n\n");
    page.append(inline(rule.what())).append(".\n\n");
    page.append(
        String.format(
            Locale.ROOT, "- role `%s`, confidence %.2f", rule.role().label(), rule.confidence()));
    rule.refines().ifPresent(base -> page.append(", refines `").append(base).append('`'));
    rule.decidedBy()
        .ifPresent(by -> page.append(", decided from all lines (").append(by).append(')'));
    page.append('\n');
    if (!rule.why().isEmpty()) {
      page.append("- why: ").append(inline(rule.why())).append('\n');
    }
    page.append("- what to do: ").append(inline(rule.fix())).append('\n');
    if (!rule.explains().isEmpty()) {
      page.append("- explains: `").append(String.join("`, `", rule.explains())).append("`\n");
    }
    page.append("- known from: ").append(String.join("; ", rule.sources())).append('\n');
    page.append("\n```text\n").append(rule.example().stripTrailing()).append("\n```\n");
  }

  /** One line; placeholders and angle brackets as code, so that Markdown shows them. */
  private static String inline(String text) {
    return text.replaceAll("\\s*\\n\\s*", " ")
        .replaceAll("\\{(\\w+)(?:\\|[^{}]*)?\\}", "*$1*")
        .replace("<", "&lt;")
        .replace(">", "&gt;");
  }

  private static String introduction() {
    try (InputStream stream = RuleDocs.class.getResourceAsStream("introduction.md")) {
      return new String(Objects.requireNonNull(stream).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
