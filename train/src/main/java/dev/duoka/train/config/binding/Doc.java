package dev.duoka.train.config.binding;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Describes one field of a configuration file. It is the only source of the field's documentation
 * and of its default, so the two cannot disagree with what the reader does.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Doc {
  /** What the field means; whole sentences. */
  String value();

  /** The field's name in the file; empty for the component's own, in snake case. */
  String name() default "";

  /** The unit of a number, for example {@code tokens}; empty for none. */
  String unit() default "";

  /**
   * The default as YAML text, exactly as a user would write it. Empty: the field is required, or,
   * where its type is an {@code Optional}, may be left out.
   */
  String byDefault() default "";

  /** What is used when the field is left out, in words, where {@link #byDefault} cannot say it. */
  String whenAbsent() default "";

  /**
   * The interval a number must lie in, for example {@code [0, 1)} or {@code (0, inf)}; of an enum,
   * the constants that a file may name, for example {@code fp32, bf16}, where those are not all.
   */
  String range() default "";
}
