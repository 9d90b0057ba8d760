package dev.duoka.ffi.cuda;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DamagedCache;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Sha256;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Compiled kernels on disk, so that a kernel is compiled once per machine and not once per run.
 *
 * <p>The key is a hash of all that the result depends on: source, options, architecture and
 * compiler. A file holds the SHA-256 of the code and then the code: a damaged file is compiled
 * again. Thread-safe, and safe for several processes at a time.
 */
public final class KernelCache {
  private static final int HASH_BYTES = 32;

  private final Path folder;
  private final KernelCompiler compiler;
  private final Map<String, byte[]> compiled = new ConcurrentHashMap<>();

  /**
   * A cache in a folder, which is made at the first use.
   *
   * @param folder usually {@code CacheFolder.of("kernels")}
   * @param compiler what compiles a kernel that is not there
   */
  public KernelCache(Path folder, KernelCompiler compiler) {
    this.folder = folder;
    this.compiler = compiler;
  }

  /** The machine code of a source for an architecture, compiled now if that never happened. */
  public byte[] cubin(KernelSource source, String architecture) {
    // One compilation per key also when several ranks ask at once.
    return compiled
        .computeIfAbsent(key(source, architecture), key -> readOrCompile(key, source, architecture))
        .clone();
  }

  private byte[] readOrCompile(String key, KernelSource source, String architecture) {
    Path file = folder.resolve(key + ".cubin");
    Optional<byte[]> cached = read(file);
    if (cached.isPresent()) {
      return cached.get();
    }
    byte[] code = compiler.compile(source, architecture);
    write(file, code);
    return code;
  }

  private static Optional<byte[]> read(Path file) {
    try {
      if (!Files.exists(file)) {
        return Optional.empty();
      }
      byte[] content = Files.readAllBytes(file);
      if (content.length > HASH_BYTES) {
        byte[] code = Arrays.copyOfRange(content, HASH_BYTES, content.length);
        byte[] hash = Arrays.copyOf(content, HASH_BYTES);
        if (MessageDigest.isEqual(hash, Sha256.of(code))) {
          return Optional.of(code);
        }
      }
      DamagedCache.report(file, "it does not match its checksum", "the kernel is compiled again");
      return Optional.empty();
    } catch (IOException e) {
      throw failure("read", file, e);
    }
  }

  private void write(Path file, byte[] code) {
    try {
      Files.createDirectories(folder);
      byte[] content = Arrays.copyOf(Sha256.of(code), HASH_BYTES + code.length);
      System.arraycopy(code, 0, content, HASH_BYTES, code.length);
      CrashSafeFiles.publish(file, content);
    } catch (IOException e) {
      throw failure("write", file, e);
    }
  }

  private static DuokaException failure(String what, Path file, IOException e) {
    return new DuokaException(
        IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot " + what + " the compiled kernel " + file + ": " + IoReason.of(e),
        "Make the folder writable, or set XDG_CACHE_HOME to another place",
        e);
  }

  private String key(KernelSource source, String architecture) {
    MessageDigest digest = Sha256.digest();
    add(digest, source.name()); // it is part of the code: __FILE__ and line information
    add(digest, source.code());
    add(digest, architecture);
    add(digest, compiler.identity());
    source.options().forEach(option -> add(digest, option));
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }

  /** With its length before it, so that no two lists of texts give the same bytes. */
  private static void add(MessageDigest digest, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
    digest.update(bytes);
  }
}
