package dev.duoka.ffi.cuda;

/** Turns CUDA C++ into machine code for one architecture. */
public interface KernelCompiler {
  /** What the result depends on besides the source: the compiler's name and version. */
  String identity();

  /**
   * Compiles for one architecture.
   *
   * @param source what to compile
   * @param architecture for example {@code sm_90a}
   * @return the machine code as {@link CudaDevice#load} takes it
   * @throws dev.duoka.base.DuokaException with the compiler's messages when it does not compile
   */
  byte[] compile(KernelSource source, String architecture);
}
