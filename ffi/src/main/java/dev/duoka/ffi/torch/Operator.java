package dev.duoka.ffi.torch;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The name of an ATen operator, ready to be called. Make one constant per operator.
 *
 * <p>Names and schemas are those of PyTorch's {@code native_functions.yaml}.
 */
public final class Operator {
  private final String name;
  private final MemorySegment nativeName;
  private final MemorySegment nativeOverload;

  private Operator(String name, String overload) {
    this.name = overload.isEmpty() ? name : name + "." + overload;
    this.nativeName = Arena.global().allocateFrom(name);
    this.nativeOverload = Arena.global().allocateFrom(overload);
  }

  /**
   * Names an operator, for example {@code of("aten::topk", "")}.
   *
   * @param name namespace and base name
   * @param overload the part after the dot in the schema, or the empty string
   */
  public static Operator of(String name, String overload) {
    return new Operator(name, overload);
  }

  MemorySegment nativeName() {
    return nativeName;
  }

  MemorySegment nativeOverload() {
    return nativeOverload;
  }

  @Override
  public String toString() {
    return name;
  }
}
