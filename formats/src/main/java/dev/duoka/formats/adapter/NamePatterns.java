package dev.duoka.formats.adapter;

import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Which modules are meant: in PEFT's way by the ends of their names, by one regular expression for
 * the whole name, or all linear layers; or by what they are in.
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

    @Override
    public boolean mayTellLayersApart() {
      return names.stream().anyMatch(NamePath::mayNumber);
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

    @Override
    public boolean mayTellLayersApart() {
      return true;
    }
  }

  /** All linear layers of decoder layers, without routers and routed experts. */
  record AllLinear() implements NamePatterns {
    @Override
    public boolean matches(String name) {
      return true;
    }

    @Override
    public boolean mayTellLayersApart() {
      return false;
    }
  }

  /**
   * Modules that are one of these or in one of these.
   *
   * @param paths names with dots between their parts, as they stand anywhere within the module's:
   *     {@code embed_tokens}, {@code mlp.experts}. A part may have numbers behind it, {@code
   *     layers[3]}, or a range of them whose end is not in it, {@code layers[0:8].self_attn};
   *     either side of the colon may be left out
   */
  record Within(List<String> paths) implements NamePatterns {
    /** Refuses what is no path. */
    public Within {
      paths = List.copyOf(paths);
      paths.forEach(NamePath::parse);
    }

    @Override
    public boolean matches(String name) {
      return paths.stream().anyMatch(path -> NamePath.parse(path).isIn(name));
    }

    @Override
    public boolean mayTellLayersApart() {
      return paths.stream().anyMatch(NamePath::mayNumber);
    }

    /** Those that none of these names is in. */
    public List<String> idle(Collection<String> names) {
      return paths.stream()
          .filter(path -> names.stream().noneMatch(NamePath.parse(path)::isIn))
          .toList();
    }
  }

  /** Whether a module that can be meant is meant. */
  boolean matches(String name);

  /**
   * Whether they may tell layers of a kind apart: by their numbers, or by an expression that may
   * have them in it.
   */
  boolean mayTellLayersApart();

  /** For people: {@code q_proj, k_proj}, or {@code the expression .*_proj}. */
  static String text(NamePatterns patterns) {
    return switch (patterns) {
      case Ends ends -> String.join(", ", ends.names());
      case Within within -> String.join(", ", within.paths());
      case Whole whole -> "the expression " + whole.expression();
      case AllLinear _ -> ALL_LINEAR;
    };
  }

  /** Of one text: {@value #ALL_LINEAR}, or a regular expression. */
  static NamePatterns of(String text) {
    return text.equalsIgnoreCase(ALL_LINEAR) ? new AllLinear() : new Whole(text);
  }
}
