package dev.duoka.data.jinja;

/** What stands behind a {@code |}. */
@FunctionalInterface
interface Filter {
  /** The value that comes out. */
  Value apply(Run run, Value value, Given given);
}
