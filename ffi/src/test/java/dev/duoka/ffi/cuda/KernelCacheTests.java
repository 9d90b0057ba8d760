package dev.duoka.ffi.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelCacheTests {
  /** Counts, and gives back a text of all it was given. */
  private record CountingCompiler(String identity, AtomicInteger count) implements KernelCompiler {
    CountingCompiler(String identity) {
      this(identity, new AtomicInteger());
    }

    @Override
    public byte[] compile(KernelSource source, String architecture) {
      count.incrementAndGet();
      return (identity + source + architecture).getBytes(StandardCharsets.UTF_8);
    }
  }

  private static final KernelSource SOURCE = new KernelSource("add.cu", "code", List.of("-O3"));

  @TempDir private Path folder;

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }

  @Test
  void compilesOncePerMachine() throws IOException {
    CountingCompiler first = new CountingCompiler("nvrtc 13.0");
    KernelCache cache = new KernelCache(folder, first);
    byte[] code = cache.cubin(SOURCE, "sm_90a");
    assertThat(cache.cubin(SOURCE, "sm_90a")).isEqualTo(code);
    assertThat(first.count()).hasValue(1);
    assertThat(files()).hasSize(1);

    CountingCompiler later = new CountingCompiler("nvrtc 13.0");
    assertThat(new KernelCache(folder, later).cubin(SOURCE, "sm_90a")).isEqualTo(code);
    assertThat(later.count()).hasValue(0);
  }

  @Test
  void whateverChangesTheResultChangesTheKey() {
    CountingCompiler compiler = new CountingCompiler("nvrtc 13.0");
    KernelCache cache = new KernelCache(folder, compiler);
    cache.cubin(SOURCE, "sm_90a");
    cache.cubin(SOURCE, "sm_80");
    cache.cubin(new KernelSource("add.cu", "code ", List.of("-O3")), "sm_90a");
    cache.cubin(new KernelSource("add.cu", "code", List.of()), "sm_90a");
    cache.cubin(new KernelSource("add.cu", "code", List.of("-O", "3")), "sm_90a");
    cache.cubin(new KernelSource("mul.cu", "code", List.of("-O3")), "sm_90a");
    assertThat(compiler.count()).hasValue(6);
    CountingCompiler newer = new CountingCompiler("nvrtc 13.1");
    new KernelCache(folder, newer).cubin(SOURCE, "sm_90a");
    assertThat(newer.count()).hasValue(1);
  }

  @Test
  void aDamagedFileIsCompiledAgain() throws IOException {
    byte[] code = new KernelCache(folder, new CountingCompiler("c")).cubin(SOURCE, "sm_90a");
    Path file = files().getFirst();
    byte[] content = Files.readAllBytes(file);
    for (int damage = 0; damage < 4; damage++) {
      byte[] bad =
          switch (damage) {
            case 0 -> new byte[0];
            case 1 -> new byte[32];
            case 2 -> Arrays.copyOf(content, content.length - 1);
            default -> {
              byte[] flipped = content.clone();
              flipped[40] ^= 1;
              yield flipped;
            }
          };
      Files.write(file, bad);
      CountingCompiler compiler = new CountingCompiler("c");
      assertThat(new KernelCache(folder, compiler).cubin(SOURCE, "sm_90a")).isEqualTo(code);
      assertThat(compiler.count()).as("damage " + damage).hasValue(1);
      assertThat(Files.readAllBytes(file)).isEqualTo(content);
    }
  }

  @Test
  void manyAskersGetOneCompilation() throws InterruptedException, ExecutionException {
    CountingCompiler compiler = new CountingCompiler("c");
    KernelCache cache = new KernelCache(folder, compiler);
    try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
      List<Future<byte[]>> results = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        results.add(executor.submit(() -> cache.cubin(SOURCE, "sm_90a")));
      }
      for (Future<byte[]> result : results) {
        assertThat(result.get()).isEqualTo(cache.cubin(SOURCE, "sm_90a"));
      }
    }
    assertThat(compiler.count()).hasValue(1);
  }

  @Test
  void aFailedCompilationLeavesNothingBehind() {
    KernelCache cache =
        new KernelCache(
            folder.resolve("not-made-yet"),
            new KernelCompiler() {
              @Override
              public String identity() {
                return "c";
              }

              @Override
              public byte[] compile(KernelSource source, String architecture) {
                throw new DuokaException(ErrorCode.NATIVE_LIBRARY, "expected a ';'", "");
              }
            });
    assertThatThrownBy(() -> cache.cubin(SOURCE, "sm_90a")).hasMessage("expected a ';'");
    assertThat(folder.resolve("not-made-yet")).doesNotExist();
  }

  @Test
  void aFolderThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    KernelCache cache = new KernelCache(file, new CountingCompiler("c"));
    assertThatThrownBy(() -> cache.cubin(SOURCE, "sm_90a"))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.IO))
        .hasMessageContaining(file.toString());
  }
}
