package dev.duoka.data.jinja;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A chat template in Jinja, parsed; immutable and safe for use by several threads.
 *
 * <pre>{@code
 * Jinja template = Jinja.parse("t.jinja", text, Limits.USUAL);
 * String chat = template.render(Map.of("messages", messages), date).text();
 * }</pre>
 *
 * Inheritance, includes, recursive loops and arguments from a list ({@code *args}) are not known.
 * {@code safe} and {@code escape} give plain texts, so joining them escapes nothing more.
 */
public final class Jinja {
  private final String name;
  private final Limits limits;
  private final List<Statement> template;
  private final Set<String> names;

  private Jinja(String name, Limits limits, List<Statement> template, Set<String> names) {
    this.name = name;
    this.limits = limits;
    this.template = template;
    this.names = names;
  }

  /**
   * A template from its text.
   *
   * @param name what errors call it
   * @throws DuokaException of {@link ErrorCode#CONFIG} with line and column, if it is not of the
   *     language or beyond a limit
   */
  public static Jinja parse(String name, String text, Limits limits) {
    if (text.length() > limits.templateLength()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot read the chat template %s: it has %d characters, and the limit is %d"
              .formatted(name, text.length(), limits.templateLength()),
          "Is it the right file?");
    }
    try {
      StatementParser parser =
          new StatementParser(new Tokens(Lexer.tokens(text), limits.nesting()));
      return new Jinja(name, limits, parser.template(), Set.copyOf(parser.names()));
    } catch (Fault fault) {
      Place place = fault.place();
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot read the chat template "
              + name
              + (place == null ? "" : " at " + place)
              + ": "
              + fault.getMessage(),
          "Correct that place, or take the template as its model's authors publish it.",
          fault);
    }
  }

  /** Whether it reads a variable of that name anywhere. */
  public boolean reads(String variable) {
    return names.contains(variable);
  }

  /**
   * What it writes for these variables.
   *
   * @param now what {@code strftime_now} calls now
   * @throws DuokaException of {@link ErrorCode#DATA} with line and column, if the template refuses
   *     the variables, they are not what it needs, or a limit is reached
   */
  public Rendering render(Map<String, Value> variables, LocalDateTime now) {
    Run run = new Run(limits, now);
    try {
      return new Renderer(run).render(template, Bindings.of(variables));
    } catch (Fault fault) {
      Place place = fault.place();
      throw new DuokaException(
          ErrorCode.DATA,
          "cannot render the chat template %s at %s: %s"
              .formatted(name, place == null ? run.place() : place, fault.getMessage()),
          "Change the record, or choose another template.",
          fault);
    }
  }
}
