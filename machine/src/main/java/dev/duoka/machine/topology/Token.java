package dev.duoka.machine.topology;

import org.jspecify.annotations.Nullable;

/**
 * A word of a paste, or a part of one where words are fused.
 *
 * @param kind what it is
 * @param text as it stands there
 * @param start its column in the cleaned line
 * @param end the column after it
 * @param fused whether the next token follows without anything between
 * @param link of a {@code CELL} the link
 */
record Token(Kind kind, String text, int start, int end, boolean fused, @Nullable Link link) {
  enum Kind {
    /** {@code GPU7}. */
    GPU,
    /** {@code NIC3}, or a name that RDMA devices have. */
    NIC,
    /** The diagonal's {@code X}. */
    SELF,
    /** A connection. */
    CELL,
    /** Numbers: a list of CPUs or NUMA nodes. */
    NUMBERS,
    /** {@code N/A}. */
    NOT_AVAILABLE,
    /** Anything else. */
    WORD
  }

  Token(Kind kind, String text, int start, boolean fused) {
    this(kind, text, start, start + text.length(), fused, null);
  }

  boolean is(Kind wanted) {
    return kind == wanted;
  }

  /** Whether it can stand in the matrix: a connection or the diagonal. */
  boolean inMatrix() {
    return kind == Kind.CELL || kind == Kind.SELF;
  }

  /** Whether it can stand in an affinity column. */
  boolean inAffinity() {
    return kind == Kind.NUMBERS || kind == Kind.NOT_AVAILABLE;
  }

  boolean isDevice() {
    return kind == Kind.GPU || kind == Kind.NIC;
  }

  /** The index of a {@code GPU}. */
  int gpuIndex() {
    return Integer.parseInt(text.substring(3));
  }
}
