package dev.duoka.ffi.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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
    names.remove(CheckedFiles.NAME);
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
    Object inode = Files.getAttribute(unpacked.resolve("libtorch_cpu.so"), "unix:ino");
    NativesCache.unpack(jars("a"), folder.resolve("cache"));
    assertThat(Files.getAttribute(unpacked.resolve("libtorch_cpu.so"), "unix:ino"))
        .isEqualTo(inode);
  }

  /** What is written to standard error meanwhile. */
  private static String stderr(Callable<?> action) throws Exception {
    PrintStream before = System.err;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      action.call();
    } finally {
      System.setErr(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "truncated, it has 3 bytes instead of 7",
    "empty, it has 0 bytes instead of 7",
    "longer, it has 8 bytes instead of 7",
    "flipped, it does not match its checksum",
    "flipped and its time set back, it does not match its checksum",
    "missing, it is missing",
    "a folder, it is missing"
  })
  void aDamagedLibraryIsNamedAndUnpackedAgain(String damage, String why) throws Exception {
    List<Path> jars = jars("a");
    Path cache = folder.resolve("cache");
    Path file = NativesCache.unpack(jars, cache).resolve("libtorch_cpu.so");
    FileTime time = Files.getLastModifiedTime(file);
    switch (damage) {
      case "truncated" -> Files.writeString(file, "a t");
      case "empty" -> Files.writeString(file, "");
      case "longer" -> Files.writeString(file, "a torch!");
      case "missing" -> Files.delete(file);
      case "a folder" -> {
        Files.delete(file);
        Files.createDirectory(file);
      }
      default -> Files.writeString(file, "a tarch");
    }
    if (damage.endsWith("set back")) {
      Files.setLastModifiedTime(file, time);
    }
    assertThat(stderr(() -> NativesCache.unpack(jars, cache)))
        .isEqualTo("duoka: " + file + " is damaged: " + why + "; it is unpacked again\n");
    assertThat(file).hasContent("a torch");
    assertThat(names(file.resolveSibling(""))).hasSize(2);
    assertThat(stderr(() -> NativesCache.unpack(jars, cache))).isEmpty();
  }

  @Test
  void aFileThatWasOnlyTouchedIsReadAndKept() throws Exception {
    List<Path> jars = jars("a");
    Path cache = folder.resolve("cache");
    Path file = NativesCache.unpack(jars, cache).resolve("libtorch_cpu.so");
    Object inode = Files.getAttribute(file, "unix:ino");
    Files.setLastModifiedTime(file, FileTime.from(Instant.EPOCH));
    assertThat(stderr(() -> NativesCache.unpack(jars, cache))).isEmpty();
    assertThat(Files.getAttribute(file, "unix:ino")).isEqualTo(inode);
    assertThat(CheckedFiles.in(file.resolveSibling("")).trusts(file)).isTrue();
  }

  /** A cache of an earlier version has no list, and a killed process may leave half of one. */
  @ParameterizedTest
  @ValueSource(strings = {"", "libtorch_cpu.so\t7\t1\t1\t1\n", "\u0000\u0001"})
  void withoutAListThatCanBeReadAllIsRead(String list) throws Exception {
    List<Path> jars = jars("a");
    Path cache = folder.resolve("cache");
    Path file = NativesCache.unpack(jars, cache).resolve("libtorch_cpu.so");
    Files.writeString(file.resolveSibling(CheckedFiles.NAME), list);
    assertThat(CheckedFiles.in(file.resolveSibling("")).trusts(file)).isFalse();
    assertThat(stderr(() -> NativesCache.unpack(jars, cache))).isEmpty();
    assertThat(CheckedFiles.in(file.resolveSibling("")).trusts(file)).isTrue();
  }

  @Test
  void afterAWeekAllIsReadAgain() throws Exception {
    List<Path> jars = jars("a");
    Path cache = folder.resolve("cache");
    Path file = NativesCache.unpack(jars, cache).resolve("libtorch_cpu.so");
    Path list = file.resolveSibling(CheckedFiles.NAME);
    Files.setLastModifiedTime(list, FileTime.from(Instant.now().minus(Duration.ofDays(8))));
    assertThat(CheckedFiles.in(file.resolveSibling("")).trusts(file)).isFalse();
    NativesCache.unpack(jars, cache);
    assertThat(CheckedFiles.in(file.resolveSibling("")).trusts(file)).isTrue();
  }

  @Test
  void aDamagedJarIsNamedAndLeavesNothing() throws IOException {
    Path jar = folder.resolve("pytorch-2.10.0-1-linux-x86_64.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      zip.setMethod(ZipOutputStream.STORED);
      ZipEntry entry = new ZipEntry("org/libtorch_cpu.so");
      byte[] content = "the library".getBytes(StandardCharsets.UTF_8);
      CRC32 crc = new CRC32();
      crc.update(content);
      entry.setSize(content.length);
      entry.setCrc(crc.getValue());
      zip.putNextEntry(entry);
      zip.write(content);
      zip.closeEntry();
    }
    String text = Files.readString(jar, StandardCharsets.ISO_8859_1);
    Files.writeString(jar, text.replace("the library", "the librarx"), StandardCharsets.ISO_8859_1);
    Path cache = folder.resolve("cache");
    assertThatThrownBy(() -> NativesCache.unpack(List.of(jar), cache))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("org/libtorch_cpu.so in " + jar + " does not match its checksum");
    assertThat(names(cache)).isEmpty();
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
