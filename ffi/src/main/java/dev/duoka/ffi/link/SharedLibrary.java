package dev.duoka.ffi.link;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.duoka.base.DuokaException;
import dev.duoka.ffi.library.Presence;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A library that this machine may lack, opened with {@code dlopen} and never closed.
 *
 * <p>The JDK's own {@link SymbolLookup#libraryLookup} does not tell why a library could not be
 * opened; {@code dlerror} does, and that reason is what a user needs.
 */
public final class SharedLibrary {
  private static final int RTLD_NOW = 2;
  private static final int LONGEST_MESSAGE = 4096;

  private static final NativeFunctions C =
      new NativeFunctions("the C library", Linker.nativeLinker().defaultLookup());
  private static final MethodHandle DLOPEN =
      C.required("dlopen", FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_INT));
  private static final MethodHandle DLSYM =
      C.required("dlsym", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS));
  private static final MethodHandle DLERROR = C.required("dlerror", FunctionDescriptor.of(ADDRESS));

  private final String name;
  private final long handle;

  private SharedLibrary(String name, long handle) {
    this.name = name;
    this.handle = handle;
  }

  /**
   * Opens the first of several candidates that can be opened.
   *
   * @param candidates paths, or bare names that the system's loader resolves
   * @param remedy what a user does about it when none can be opened
   */
  public static Presence<SharedLibrary> open(List<String> candidates, String remedy) {
    List<String> reasons = new ArrayList<>();
    for (String candidate : candidates) {
      try (Arena arena = Arena.ofConfined()) {
        long handle = (long) DLOPEN.invokeExact(arena.allocateFrom(candidate), RTLD_NOW);
        if (handle != 0) {
          return Presence.of(new SharedLibrary(candidate, handle));
        }
        reasons.add(lastError());
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
    return Presence.absent(String.join("; ", reasons), remedy);
  }

  /**
   * As {@link #open}, then prepares the library for use; what fails in that, such as a function
   * that this version lacks, counts as absence.
   */
  public static <T> Presence<T> open(
      List<String> candidates, String remedy, Function<SharedLibrary, Presence<T>> prepare) {
    return open(candidates, remedy)
        .then(
            library -> {
              try {
                return prepare.apply(library);
              } catch (DuokaException e) {
                return Presence.absent(library.name() + ": " + e.getMessage(), "");
              }
            });
  }

  /** The path or name that it was opened by. */
  public String name() {
    return name;
  }

  /** The library's symbols, and those of what it depends on. */
  public SymbolLookup symbols() {
    return this::find;
  }

  private Optional<MemorySegment> find(String symbol) {
    try (Arena arena = Arena.ofConfined()) {
      long address = (long) DLSYM.invokeExact(handle, arena.allocateFrom(symbol));
      return address == 0 ? Optional.empty() : Optional.of(MemorySegment.ofAddress(address));
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @SuppressWarnings("restricted") // bounded view of a C string
  private static String lastError() throws Throwable {
    MemorySegment text = (MemorySegment) DLERROR.invokeExact();
    return text.address() == 0 ? "no reason given" : text.reinterpret(LONGEST_MESSAGE).getString(0);
  }
}
