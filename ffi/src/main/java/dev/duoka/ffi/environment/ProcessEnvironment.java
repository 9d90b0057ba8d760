package dev.duoka.ffi.environment;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.link.NativeFunctions;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The environment that native libraries of this process read. Java copies the environment when it
 * starts and cannot change it; a library that is loaded later reads the C library's.
 */
public final class ProcessEnvironment {
  private static final NativeFunctions C =
      new NativeFunctions("the C library", Linker.nativeLinker().defaultLookup());
  private static final MethodHandle SETENV =
      C.required("setenv", FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT));

  private static final MethodHandle GETENV =
      C.required("getenv", FunctionDescriptor.of(ADDRESS, ADDRESS));

  private ProcessEnvironment() {}

  /** Whether native code finds a variable, whoever has set it. */
  public static boolean has(String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = (MemorySegment) GETENV.invokeExact(arena.allocateFrom(name));
      return !value.equals(MemorySegment.NULL);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  /**
   * Sets a variable for libraries that are loaded after this. {@link System#getenv} does not show
   * it. One that is set already stays as it is.
   */
  public static void set(String name, String value) {
    int status;
    try (Arena arena = Arena.ofConfined()) {
      status =
          (int)
              SETENV.invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), /* keep */ 0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
    if (status != 0) {
      throw new DuokaException(
          ErrorCode.NATIVE_CALL,
          "setenv refuses the variable '" + name + "' with the value '" + value + "'",
          "Correct or remove it in the run file's environment.");
    }
  }
}
