package dev.duoka.ffi.link;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.junit.jupiter.api.Test;

class NativeFunctionsTests {
  private final DuokaException cannotLoad =
      new DuokaException(ErrorCode.NATIVE_LIBRARY, "cannot load it", "Install it");

  private NativeFunctions unloadable() {
    return NativeFunctions.deferred(
        "test library",
        () -> {
          throw cannotLoad;
        });
  }

  @Test
  void aLibraryThatCannotBeLoadedIsToldByEachCall() {
    MethodHandle function =
        unloadable().required("f", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS));
    for (int call = 0; call < 2; call++) {
      assertThatThrownBy(
              () -> {
                int _ = (int) function.invokeExact(3L, MemorySegment.NULL);
              })
          .isSameAs(cannotLoad);
    }
  }

  @Test
  void soDoFunctionsWithoutAResultAndOptionalOnes() {
    MethodHandle nothing =
        unloadable().optional("g", FunctionDescriptor.ofVoid(JAVA_LONG)).orElseThrow();
    assertThatThrownBy(
            () -> {
              nothing.invokeExact(3L);
            })
        .isSameAs(cannotLoad);
  }

  @Test
  void aFunctionThatIsMissingIsNamedWhenItIsCalled() throws Throwable {
    NativeFunctions library =
        NativeFunctions.deferred("test library", () -> Linker.nativeLinker().defaultLookup());
    MethodHandle missing = library.required("no_such_one", FunctionDescriptor.of(JAVA_INT));
    assertThatThrownBy(
            () -> {
              int _ = (int) missing.invokeExact();
            })
        .hasMessageContaining("cannot bind no_such_one: test library does not export it");
    MethodHandle there = library.required("dlerror", FunctionDescriptor.of(ADDRESS));
    MemorySegment _ = (MemorySegment) there.invokeExact(); // an earlier error is told once
    assertThat(((MemorySegment) there.invokeExact()).address()).isZero();
  }

  @Test
  void otherLibrariesAreBoundAtOnce() {
    NativeFunctions library =
        new NativeFunctions("test library", Linker.nativeLinker().defaultLookup());
    assertThatThrownBy(() -> library.required("no_such_one", FunctionDescriptor.of(JAVA_INT)))
        .isInstanceOf(DuokaException.class);
  }
}
