package dev.duoka.ffi.link;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Binds the functions of one shared library by name. */
@SuppressWarnings("restricted") // linking is what this class is for
public final class NativeFunctions {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final Set<BoundFunction> BOUND = ConcurrentHashMap.newKeySet();

  private final String library;
  private final SymbolLookup lookup;

  /**
   * @param library the library's name as errors print it
   * @param lookup where its symbols are found
   */
  public NativeFunctions(String library, SymbolLookup lookup) {
    this.library = library;
    this.lookup = lookup;
  }

  /** Binds a function that must exist. */
  public MethodHandle required(String name, FunctionDescriptor type, Linker.Option... options) {
    MemorySegment symbol =
        lookup
            .find(name)
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.NATIVE_LIBRARY,
                        "cannot bind " + name + ": " + library + " does not export it",
                        "This version of the library is too old or incomplete; run './duoka env' to"
                            + " see which one was chosen and why"));
    BOUND.add(new BoundFunction(library, name, type));
    return LINKER.downcallHandle(symbol, type, options);
  }

  /** Binds a function that only some versions of the library have. */
  public Optional<MethodHandle> optional(
      String name, FunctionDescriptor type, Linker.Option... options) {
    BOUND.add(new BoundFunction(library, name, type));
    return lookup.find(name).map(symbol -> LINKER.downcallHandle(symbol, type, options));
  }

  /** Every function that was bound so far, optional ones found or not, for the audit. */
  public static List<BoundFunction> bound() {
    return List.copyOf(BOUND);
  }

  /** Binds a function pointer. */
  public static MethodHandle at(MemorySegment address, FunctionDescriptor type) {
    return LINKER.downcallHandle(address, type);
  }

  /**
   * What {@code invokeExact} may throw besides a real error: nothing, by contract of a downcall.
   */
  public static AssertionError unexpected(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    if (thrown instanceof RuntimeException exception) {
      throw exception;
    }
    return new AssertionError(thrown);
  }
}
