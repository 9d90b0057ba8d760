package dev.duoka.formats.adapter;

import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which modules are meant, in PEFT's way: by the ends of their names, by one regular expression for
 * the whole name, or all linear layers.
 */
public sealed interface NamePatterns {
  /** No module. */
  NamePatterns NONE = new Ends(List.of());

  /** PEFT's word for {@link AllLinear}. */
  String ALL_LINEAR = "all-linear";

  /**
   * Modules of these names, or whose names end in a dot and one of them.
   *
   * @param names for example {@code q_proj}, {@code mlp.down_proj}
   */
  record Ends(List<String> names) implements NamePatterns {
    public Ends {
      names = List.copyOf(names);
    }

    @Override
    public boolean matches(String name) {
      return names.stream().anyMatch(end -> name.equals(end) || name.endsWith("." + end));
    }
  }

  /**
   * Modules whose whole names match.
   *
   * @param expression a regular expression
   */
  record Whole(String expression) implements NamePatterns {
    /** Refuses what is no regular expression. */
    public Whole {
      try {
        Pattern.compile(expression);
      } catch (PatternSyntaxException e) {
        throw new IllegalArgumentException(
            "'" + expression + "' is no regular expression: " + e.getDescription(), e);
      }
    }

    @Override
    public boolean matches(String name) {
      return Pattern.compile(expression).matcher(name).matches();
    }
  }

  /** All linear layers of decoder layers, without routers and routed experts. */
  record AllLinear() implements NamePatterns {
    @Override
    public boolean matches(String name) {
      return true;
    }
  }

  /** Whether a module that can be meant is meant. */
  boolean matches(String name);

  /** Of one text: {@value #ALL_LINEAR}, or a regular expression. */
  static NamePatterns of(String text) {
    return text.equalsIgnoreCase(ALL_LINEAR) ? new AllLinear() : new Whole(text);
  }
}
