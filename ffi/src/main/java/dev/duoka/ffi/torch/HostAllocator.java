package dev.duoka.ffi.torch;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/**
 * The C library's allocator, from which LibTorch takes host tensors.
 *
 * <p>By default glibc gives freed memory back to the kernel, and each step then pays a page fault
 * for every 4 KiB of every tensor: a tenth of a small model's step on the CPU. Told to keep it, the
 * process stays at its peak, which a training run needs again in its next step anyway.
 */
final class HostAllocator {
  // malloc.h
  private static final int M_TRIM_THRESHOLD = -1;
  private static final int M_MMAP_THRESHOLD = -3;

  private static final int NEVER = -1;
  private static final int LARGEST_MMAP_THRESHOLD = 32 << 20;

  private HostAllocator() {}

  /**
   * Keeps freed memory, unless the user has set the allocator up; a hint, ignored by other libcs.
   */
  static void keepFreedMemory() {
    boolean configured =
        System.getenv("MALLOC_TRIM_THRESHOLD_") != null
            || System.getenv("MALLOC_MMAP_THRESHOLD_") != null
            || System.getenv("GLIBC_TUNABLES") != null;
    if (configured) {
      return;
    }
    Optional<MethodHandle> mallopt =
        new NativeFunctions("the C library", Linker.nativeLinker().defaultLookup())
            .optional("mallopt", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    if (mallopt.isEmpty()) {
      return;
    }
    try {
      int _ = (int) mallopt.get().invokeExact(M_TRIM_THRESHOLD, NEVER);
      int _ = (int) mallopt.get().invokeExact(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }
}
