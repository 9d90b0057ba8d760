package dev.duoka.ffi.link;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.ffi.library.Presence;
import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedLibraryTests {
  @Test
  void opensTheFirstThatCanBeOpened() {
    SharedLibrary library =
        SharedLibrary.open(List.of("libnot-there.so.9", "libc.so.6"), "").orElseThrow();
    assertThat(library.name()).isEqualTo("libc.so.6");
    assertThat(library.symbols().find("strlen")).isPresent();
    assertThat(library.symbols().find("no_such_function_anywhere")).isEmpty();
  }

  @Test
  void keepsTheLoadersReasons(@TempDir Path folder) throws IOException {
    Path broken = Files.writeString(folder.resolve("broken.so"), "this is no library");
    Presence<SharedLibrary> opened =
        SharedLibrary.open(List.of("libnot-there.so.9", broken.toString()), "Install it");
    assertThat(opened)
        .isInstanceOfSatisfying(
            Presence.Absent.class,
            absent ->
                assertThat(absent.reason())
                    .contains("libnot-there.so.9: cannot open shared object file")
                    .contains(broken.toString())
                    .contains("file too short"));
    assertThatThrownBy(opened::orElseThrow)
        .isInstanceOfSatisfying(
            DuokaException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.NATIVE_LIBRARY);
              assertThat(e.remedy()).isEqualTo("Install it");
            });
  }

  @Test
  void aFunctionThatAVersionLacksCountsAsAbsence() {
    Presence<String> opened =
        SharedLibrary.open(
            List.of("libc.so.6"),
            "",
            library -> {
              new NativeFunctions("a library", library.symbols())
                  .required("cuInit", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
              return Presence.of("used");
            });
    assertThat(opened)
        .isInstanceOfSatisfying(
            Presence.Absent.class, absent -> assertThat(absent.reason()).contains("cuInit"));
  }
}
