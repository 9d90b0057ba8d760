package dev.duoka.ffi.link;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Binds the functions of one shared library by name. */
@SuppressWarnings("restricted") // linking is what this class is for
public final class NativeFunctions {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final Set<BoundFunction> BOUND = ConcurrentHashMap.newKeySet();

  private final String library;
  private final SymbolLookup lookup;
  private final boolean deferred;
  private final @Nullable DuokaException failure;

  /**
   * @param library the library's name as errors print it
   * @param lookup where its symbols are found
   */
  public NativeFunctions(String library, SymbolLookup lookup) {
    this(library, lookup, false, null);
  }

  private NativeFunctions(
      String library, SymbolLookup lookup, boolean deferred, @Nullable DuokaException failure) {
    this.library = library;
    this.lookup = lookup;
    this.deferred = deferred;
    this.failure = failure;
  }

  /**
   * For functions that a class binds in its initialiser, where an exception would reach the caller
   * as an {@code ExceptionInInitializerError}, and later callers as something worse: what keeps the
   * library or a function from being used is thrown by each call of the function instead.
   *
   * @param symbols loads the library
   */
  public static NativeFunctions deferred(String library, Supplier<SymbolLookup> symbols) {
    try {
      return new NativeFunctions(library, symbols.get(), true, null);
    } catch (DuokaException e) {
      return new NativeFunctions(library, _ -> Optional.empty(), true, e);
    }
  }

  /** Binds a function that must exist. */
  public MethodHandle required(String name, FunctionDescriptor type, Linker.Option... options) {
    Optional<MemorySegment> symbol = lookup.find(name);
    if (symbol.isPresent()) {
      BOUND.add(new BoundFunction(library, name, type));
      return LINKER.downcallHandle(symbol.get(), type, options);
    }
    DuokaException reason =
        Objects.requireNonNullElseGet(
            failure,
            () ->
                new DuokaException(
                    ErrorCode.NATIVE_LIBRARY,
                    "cannot bind " + name + ": " + library + " does not export it",
                    "This version of the library is too old or incomplete; run './duoka env' to"
                        + " see which one was chosen and why"));
    if (!deferred) {
      throw reason;
    }
    return throwing(type, reason);
  }

  /** A handle of the function's type that throws. */
  private static MethodHandle throwing(FunctionDescriptor type, DuokaException reason) {
    MethodType method = type.toMethodType();
    MethodHandle thrower =
        MethodHandles.throwException(method.returnType(), DuokaException.class).bindTo(reason);
    return MethodHandles.dropArguments(thrower, 0, method.parameterList());
  }

  /** Binds a function that only some versions of the library have. */
  public Optional<MethodHandle> optional(
      String name, FunctionDescriptor type, Linker.Option... options) {
    if (failure != null) {
      return Optional.of(throwing(type, failure));
    }
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
