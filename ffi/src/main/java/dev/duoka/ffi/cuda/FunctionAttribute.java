package dev.duoka.ffi.cuda;

/** What a kernel can be asked for; the numbers are those of {@code CUfunction_attribute}. */
public enum FunctionAttribute {
  /** Threads of one block at most, given the registers that the kernel uses. */
  MAX_THREADS_PER_BLOCK(0),
  /** Bytes of shared memory that the kernel declares itself. */
  STATIC_SHARED_MEMORY(1),
  /** Bytes of local memory per thread: spilled registers and arrays. */
  LOCAL_MEMORY(3),
  /** Registers per thread. */
  REGISTERS(4),
  /** Bytes of dynamic shared memory that a launch may ask for. */
  MAX_DYNAMIC_SHARED_MEMORY(8);

  private final int code;

  FunctionAttribute(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
