package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.VarHandle;

/** {@code CUDA_MEMCPY2D} of {@code cuda.h}: a copy of rows from a device to the host. */
final class CopiedRows {
  private static final StructLayout LAYOUT =
      MemoryLayout.structLayout(
          JAVA_LONG.withName("srcXInBytes"),
          JAVA_LONG.withName("srcY"),
          JAVA_INT.withName("srcMemoryType"),
          MemoryLayout.paddingLayout(4),
          JAVA_LONG.withName("srcHost"),
          JAVA_LONG.withName("srcDevice"),
          JAVA_LONG.withName("srcArray"),
          JAVA_LONG.withName("srcPitch"),
          JAVA_LONG.withName("dstXInBytes"),
          JAVA_LONG.withName("dstY"),
          JAVA_INT.withName("dstMemoryType"),
          MemoryLayout.paddingLayout(4),
          JAVA_LONG.withName("dstHost"),
          JAVA_LONG.withName("dstDevice"),
          JAVA_LONG.withName("dstArray"),
          JAVA_LONG.withName("dstPitch"),
          JAVA_LONG.withName("WidthInBytes"),
          JAVA_LONG.withName("Height"));

  /** {@code CU_MEMORYTYPE_HOST}. */
  private static final int HOST = 1;

  /** {@code CU_MEMORYTYPE_DEVICE}. */
  private static final int DEVICE = 2;

  private static final VarHandle SOURCE_TYPE = field("srcMemoryType");
  private static final VarHandle SOURCE = field("srcDevice");
  private static final VarHandle SOURCE_PITCH = field("srcPitch");
  private static final VarHandle TARGET_TYPE = field("dstMemoryType");
  private static final VarHandle TARGET = field("dstHost");
  private static final VarHandle TARGET_PITCH = field("dstPitch");
  private static final VarHandle WIDTH = field("WidthInBytes");
  private static final VarHandle HEIGHT = field("Height");

  private static final ThreadLocal<CopiedRows> OF_THREAD = ThreadLocal.withInitial(CopiedRows::new);

  private final MemorySegment memory = Arena.ofAuto().allocate(LAYOUT);

  private CopiedRows() {
    SOURCE_TYPE.set(memory, 0L, DEVICE);
    TARGET_TYPE.set(memory, 0L, HOST);
  }

  private static VarHandle field(String name) {
    return LAYOUT.varHandle(PathElement.groupElement(name));
  }

  static CopiedRows ofThread() {
    return OF_THREAD.get();
  }

  /** As {@link CudaDriver#copyRowsToHost} takes them. */
  void set(long host, long hostPitch, long device, long devicePitch, long rowBytes, long rows) {
    SOURCE.set(memory, 0L, device);
    SOURCE_PITCH.set(memory, 0L, devicePitch);
    TARGET.set(memory, 0L, host);
    TARGET_PITCH.set(memory, 0L, hostPitch);
    WIDTH.set(memory, 0L, rowBytes);
    HEIGHT.set(memory, 0L, rows);
  }

  MemorySegment memory() {
    return memory;
  }
}
