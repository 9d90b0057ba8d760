package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Native memory for the results of one driver call and the arguments of one launch, per thread. */
final class CallMemory {
  /** The most arguments that a kernel may take. */
  static final int SLOTS = 64;

  private static final ThreadLocal<CallMemory> OF_THREAD = ThreadLocal.withInitial(CallMemory::new);

  /** A place for one pointer or number that a function returns. */
  final MemorySegment out;

  /** A place for a second one. */
  final MemorySegment second;

  /** The values of a kernel's arguments, 8 bytes each. */
  final MemorySegment values;

  /** The addresses of {@link #values}, as {@code cuLaunchKernel} takes them. */
  final MemorySegment addresses;

  private CallMemory() {
    Arena arena = Arena.ofAuto(); // lives as long as the thread does
    out = arena.allocate(JAVA_LONG);
    second = arena.allocate(JAVA_LONG);
    values = arena.allocate(JAVA_LONG, SLOTS);
    addresses = arena.allocate(ADDRESS, SLOTS);
    resetAddresses();
  }

  /** Points every argument to its value, after some pointed elsewhere. */
  void resetAddresses() {
    for (int i = 0; i < SLOTS; i++) {
      addresses.setAtIndex(JAVA_LONG, i, values.address() + 8L * i);
    }
  }

  static CallMemory ofThread() {
    return OF_THREAD.get();
  }

  int outInt() {
    return out.get(JAVA_INT, 0);
  }

  long outLong() {
    return out.get(JAVA_LONG, 0);
  }
}
