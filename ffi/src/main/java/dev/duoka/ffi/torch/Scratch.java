package dev.duoka.ffi.torch;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Native memory for the arguments and results of one call, kept per thread. */
final class Scratch {
  private static final int SLOTS = 64;
  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

  /** The operand stack of an operator call. */
  final MemorySegment stack;

  /** A place for one pointer or integer that a function returns. */
  final MemorySegment out;

  /** Two arrays of up to {@value #SLOTS} longs: sizes and strides. */
  final MemorySegment first;

  final MemorySegment second;

  private Scratch() {
    Arena arena = Arena.ofAuto(); // lives as long as the thread does
    stack = arena.allocate(JAVA_LONG, SLOTS);
    out = arena.allocate(JAVA_LONG);
    first = arena.allocate(JAVA_LONG, SLOTS);
    second = arena.allocate(JAVA_LONG, SLOTS);
  }

  static Scratch ofThread() {
    return OF_THREAD.get();
  }

  long outLong() {
    return out.get(JAVA_LONG, 0);
  }

  int outInt() {
    return out.get(JAVA_INT, 0);
  }

  static MemorySegment fill(MemorySegment segment, long[] values) {
    for (int i = 0; i < values.length; i++) {
      segment.setAtIndex(JAVA_LONG, i, values[i]);
    }
    return segment;
  }
}
