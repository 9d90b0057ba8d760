package dev.duoka.ffi.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativesCacheTests {
  @TempDir private Path folder;

  private Path jar(String name, String... entries) throws IOException {
    Path jar = folder.resolve(name);
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (int i = 0; i < entries.length; i += 2) {
        zip.putNextEntry(new ZipEntry(entries[i]));
        zip.write(entries[i + 1].getBytes(StandardCharsets.UTF_8));
        zip.closeEntry();
      }
    }
    return jar;
  }

  private List<Path> jars(String content) throws IOException {
    return List.of(
        jar("openblas-1-linux-x86_64.jar", "org/openblas/libopenblas.so.0", content + " blas"),
        jar(
            "pytorch-2.10.0-1-linux-x86_64.jar",
            "org/pytorch/libtorch_cpu.so",
            content + " torch",
            "org/pytorch/libjnitorch.so",
            "not used",
            "org/pytorch/Torch.class",
            "not a library"));
  }

  private static Set<String> names(Path folder) throws IOException {
    Set<String> names = new HashSet<>();
    try (Stream<Path> files = Files.list(folder)) {
      files.forEach(file -> names.add(String.valueOf(file.getFileName())));
    }
    return names;
  }

  @Test
  void unpacksTheLibrariesOfBothJarsIntoOneFolder() throws IOException {
    Path unpacked = NativesCache.unpack(jars("a"), folder.resolve("cache"));
    assertThat(names(unpacked)).containsExactlyInAnyOrder("libopenblas.so.0", "libtorch_cpu.so");
    assertThat(unpacked.resolve("libtorch_cpu.so")).hasContent("a torch");
  }

  @Test
  void theFolderIsNamedByContent() throws IOException {
    Path cache = folder.resolve("cache");
    Path first = NativesCache.unpack(jars("a"), cache);
    Path other = NativesCache.unpack(jars("b"), cache);
    assertThat(other).isNotEqualTo(first);
    assertThat(first.resolve("libtorch_cpu.so")).hasContent("a torch");
    assertThat(NativesCache.unpack(jars("a"), cache)).isEqualTo(first);
    assertThat(names(cache)).hasSize(2);
  }

  @Test
  void unpacksOnlyOnce() throws IOException {
    Path unpacked = NativesCache.unpack(jars("a"), folder.resolve("cache"));
    Files.writeString(unpacked.resolve("libtorch_cpu.so"), "touched");
    NativesCache.unpack(jars("a"), folder.resolve("cache"));
    assertThat(unpacked.resolve("libtorch_cpu.so")).hasContent("touched");
  }

  @RepeatedTest(20)
  void concurrentUnpackersAgree() throws Exception {
    List<Path> jars = jars("a");
    Path cache = folder.resolve("cache");
    int threads = 8;
    CyclicBarrier start = new CyclicBarrier(threads);
    Set<Path> results = new HashSet<>();
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<Path>> futures = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        futures.add(
            executor.submit(
                () -> {
                  start.await();
                  return NativesCache.unpack(jars, cache);
                }));
      }
      for (Future<Path> future : futures) {
        results.add(future.get());
      }
    }
    assertThat(results).hasSize(1);
    assertThat(names(cache)).as("no temporary folder is left").hasSize(1);
    assertThat(names(results.iterator().next())).hasSize(2);
  }

  @Test
  void whatAKilledUnpackerLeftIsNeverUsedAndGoesAwayLater() throws IOException {
    Path cache = Files.createDirectories(folder.resolve("cache"));
    Path old = Files.createDirectories(cache.resolve("unpacking-1"));
    Files.writeString(old.resolve("libtorch_cpu.so"), "half");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(2 * 86_400)));
    Path running = Files.createDirectories(cache.resolve("unpacking-2"));
    Path unpacked = NativesCache.unpack(jars("a"), cache);
    assertThat(unpacked.resolve("libtorch_cpu.so")).hasContent("a torch");
    assertThat(old).doesNotExist();
    assertThat(running).as("another process may be at it").exists();
  }

  @Test
  void aBrokenJarLeavesNothing() throws IOException {
    List<Path> jars = List.of(Files.writeString(folder.resolve("broken.jar"), "this is no zip"));
    Path cache = folder.resolve("cache");
    assertThatThrownBy(() -> NativesCache.unpack(jars, cache)).isInstanceOf(IOException.class);
    assertThat(cache).doesNotExist();
  }
}
