package dev.duoka.ffi.cuda;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.torch.CudaStreams;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * One launch of a kernel: say how many threads, push the arguments in the order of the kernel's
 * parameters, {@link #launch}.
 *
 * <pre>{@code
 * KernelCall.of(function).grid(blocks).block(256).pointer(x).longInteger(n).launch();
 * }</pre>
 *
 * <p>The kinds must be those of the kernel's parameters: nothing can check them. The arguments are
 * kept in memory of the thread, so prepare and launch one call at a time. The launch is
 * asynchronous; the arguments are copied before it returns.
 */
public final class KernelCall {
  private final CallMemory memory = CallMemory.ofThread();
  private final CudaFunction function;
  private int gridX = 1;
  private int gridY = 1;
  private int gridZ = 1;
  private int blockX = 1;
  private int blockY = 1;
  private int blockZ = 1;
  private int sharedMemory;
  private int arguments;

  private final List<Structure> structures = new ArrayList<>();

  /** A parameter by value, kept from the garbage collector until the launch has copied it. */
  private record Structure(int slot, TensorMap map) {}

  private KernelCall(CudaFunction function) {
    this.function = function;
  }

  /** Starts a launch on this thread: one block of one thread and no arguments so far. */
  public static KernelCall of(CudaFunction function) {
    return new KernelCall(function);
  }

  /** The number of blocks, in one dimension. */
  public KernelCall grid(int x) {
    return grid(x, 1, 1);
  }

  /** The number of blocks in each dimension. */
  public KernelCall grid(int x, int y, int z) {
    gridX = x;
    gridY = y;
    gridZ = z;
    return this;
  }

  /** The number of threads of a block, in one dimension. */
  public KernelCall block(int x) {
    return block(x, 1, 1);
  }

  /** The number of threads of a block in each dimension. */
  public KernelCall block(int x, int y, int z) {
    blockX = x;
    blockY = y;
    blockZ = z;
    return this;
  }

  /** Bytes of dynamic shared memory per block. */
  public KernelCall sharedMemory(int bytes) {
    sharedMemory = bytes;
    return this;
  }

  /** Pushes an address in device memory. */
  public KernelCall pointer(long address) {
    memory.values.setAtIndex(JAVA_LONG, next(), address);
    return this;
  }

  /** Pushes a 32-bit integer. */
  public KernelCall integer(int value) {
    memory.values.set(JAVA_INT, 8L * next(), value);
    return this;
  }

  /** Pushes a 64-bit integer. */
  public KernelCall longInteger(long value) {
    memory.values.setAtIndex(JAVA_LONG, next(), value);
    return this;
  }

  /** Pushes a {@code float}. */
  public KernelCall floating(float value) {
    memory.values.set(JAVA_FLOAT, 8L * next(), value);
    return this;
  }

  /** Pushes a {@code double}. */
  public KernelCall doubleFloating(double value) {
    memory.values.set(JAVA_DOUBLE, 8L * next(), value);
    return this;
  }

  /** Pushes a parameter that the kernel takes by value. */
  public KernelCall structure(TensorMap map) {
    structures.add(new Structure(next(), map));
    return this;
  }

  /** Launches on the stream on which LibTorch launches for the calling thread. */
  public void launch() {
    launch(CudaStreams.current(function.device().ordinal()));
  }

  /**
   * Launches on a stream of the function's device.
   *
   * @throws DuokaException when the driver refuses the launch, or reports that an earlier one
   *     failed
   */
  public void launch(long stream) {
    CudaFunctions functions = function.functions();
    function.device().useOnThisThread();
    int result;
    try {
      for (Structure structure : structures) {
        memory.addresses.setAtIndex(JAVA_LONG, structure.slot(), structure.map().code.address());
      }
      result =
          (int)
              functions.launchKernel.invokeExact(
                  function.handle(),
                  gridX,
                  gridY,
                  gridZ,
                  blockX,
                  blockY,
                  blockZ,
                  sharedMemory,
                  stream,
                  memory.addresses,
                  MemorySegment.NULL);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    } finally {
      if (!structures.isEmpty()) {
        memory.resetAddresses();
      }
    }
    CudaErrors.check(functions, result, result == CudaErrors.SUCCESS ? "" : attempt());
  }

  private int next() {
    if (arguments == CallMemory.SLOTS) {
      throw new DuokaException(
          ErrorCode.NATIVE_CALL,
          function.name() + " was given more than " + CallMemory.SLOTS + " arguments",
          "");
    }
    return arguments++;
  }

  private String attempt() {
    return "cuLaunchKernel of "
        + function.name()
        + " with grid "
        + gridX
        + "×"
        + gridY
        + "×"
        + gridZ
        + ", block "
        + blockX
        + "×"
        + blockY
        + "×"
        + blockZ
        + ", "
        + sharedMemory
        + " bytes of shared memory and "
        + arguments
        + " arguments on "
        + function.device();
  }
}
