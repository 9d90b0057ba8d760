package dev.duoka.ffi.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * CUDA C++ to be compiled at first use.
 *
 * @param name a file name for messages, for example {@code rope.cu}
 * @param code the program; its kernels are {@code extern "C" __global__}
 * @param options further options of the compiler, for example {@code --use_fast_math}
 */
public record KernelSource(String name, String code, List<String> options) {
  /** Keeps a copy of the options. */
  public KernelSource {
    options = List.copyOf(options);
  }

  /**
   * Reads a source from a resource, which the class that owns it has to open: {@code
   * KernelSource.resource("rope.cu", Rope.class.getResourceAsStream("rope.cu"))}.
   */
  public static KernelSource resource(
      String name, @Nullable InputStream resource, String... options) {
    if (resource == null) {
      throw new IllegalArgumentException("no resource " + name);
    }
    try (resource) {
      String code = new String(resource.readAllBytes(), StandardCharsets.UTF_8);
      return new KernelSource(name, code, List.of(options));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
