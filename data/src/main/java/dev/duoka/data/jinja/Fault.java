package dev.duoka.data.jinja;

import org.jspecify.annotations.Nullable;

/**
 * What went wrong in a template, without its name; {@link Jinja} makes a {@code DuokaException} of
 * it. Without a place it is where the rendering stands.
 */
final class Fault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient @Nullable Place place;

  Fault(String problem) {
    this(null, problem);
  }

  Fault(@Nullable Place place, String problem) {
    super(problem, null, false, false);
    this.place = place;
  }

  @Nullable Place place() {
    return place;
  }
}
