package dev.duoka.ffi.link;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Assumptions;

/** Compiles C files of the test resources, checked against {@code prototypes.h}. */
public final class MadeUpLibrary {
  private MadeUpLibrary() {}

  /** Compiles {@code <name>.c} into a shared library; the test is skipped where there is no gcc. */
  public static Path compile(String name, Path folder) {
    Path library = folder.resolve("lib" + name + ".so");
    run(
        List.of(
            gcc(),
            "-shared",
            "-fPIC",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            library.toString(),
            resource(name + ".c").toString()));
    return library;
  }

  /** Compiles a program that includes {@code prototypes.h}, runs it, and returns what it prints. */
  public static String runProgram(String source, Path folder) {
    try {
      Path file = Files.writeString(folder.resolve("probe.c"), source);
      Path program = folder.resolve("probe");
      run(
          List.of(
              gcc(),
              "-I" + resource("prototypes.h").getParent(),
              "-o",
              program.toString(),
              file.toString()));
      return run(List.of(program.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path resource(String name) {
    try {
      return Path.of(
          Objects.requireNonNull(MadeUpLibrary.class.getResource("/" + name), name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  private static String gcc() {
    for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
      Path gcc = Path.of(folder, "gcc");
      if (Files.isExecutable(gcc)) {
        return gcc.toString();
      }
    }
    return Assumptions.abort("no gcc on PATH: made-up libraries and the struct probe are skipped");
  }

  private static String run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new AssertionError(command + " failed:\n" + output);
      }
      return output;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
