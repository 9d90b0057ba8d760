package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes one safetensors file: all tensors are declared first, then their bytes follow in the order
 * of {@link #tensors}, in chunks of any size. Not thread-safe.
 *
 * <p>The file appears under its name when {@link #finish} returns; closed before that, nothing is
 * left of it. Wider dtypes come first, so every tensor starts aligned; within a dtype's width the
 * order is that of the names, as in the reference implementation.
 *
 * <pre>{@code
 * try (SafetensorsWriter writer = SafetensorsWriter.create(path, declarations, Map.of())) {
 *   for (TensorEntry tensor : writer.tensors()) {
 *     writer.write(tensor.name(), bytesOf(tensor)); // or several chunks one after another
 *   }
 *   String sha256 = writer.finish().sha256();
 * }
 * }</pre>
 */
public final class SafetensorsWriter implements AutoCloseable {
  private final Path path;
  private final List<TensorEntry> tensors;
  private final DigestingFile file;
  private int current;
  private long writtenOfCurrent;

  private SafetensorsWriter(Path path, List<TensorEntry> tensors, DigestingFile file) {
    this.path = path;
    this.tensors = tensors;
    this.file = file;
    skipComplete();
  }

  /**
   * Creates the file and writes its header.
   *
   * @param metadata free strings for the header; transformers wants {@code format} to be {@code pt}
   */
  public static SafetensorsWriter create(
      Path path, List<TensorDeclaration> declarations, Map<String, String> metadata) {
    List<TensorEntry> tensors = layOut(path, declarations);
    byte[] header = new SafetensorsHeader(tensors, new TreeMap<>(metadata)).encode();
    DigestingFile file = new DigestingFile(path);
    boolean created = false;
    try {
      file.write(ByteBuffer.wrap(header));
      created = true;
      return new SafetensorsWriter(path, tensors, file);
    } finally {
      if (!created) {
        file.close();
      }
    }
  }

  /** All tensors in the order in which their bytes must be written. */
  public List<TensorEntry> tensors() {
    return tensors;
  }

  /**
   * Appends the buffer's remaining bytes, little-endian and row-major, to a tensor.
   *
   * @param name the tensor whose turn it is, so that a wrong order cannot pass unnoticed
   */
  public void write(String name, ByteBuffer chunk) {
    if (current == tensors.size()) {
      throw wrongOrder(name, "all tensors are complete");
    }
    TensorEntry tensor = tensors.get(current);
    if (!tensor.name().equals(name)) {
      if (!chunk.hasRemaining()) {
        return; // An empty tensor takes no turn.
      }
      long missing = tensor.byteLength() - writtenOfCurrent;
      throw wrongOrder(name, "'" + tensor.name() + "' still lacks " + missing + " bytes");
    }
    if (chunk.remaining() > tensor.byteLength() - writtenOfCurrent) {
      throw wrongOrder(
          name,
          ("it has " + tensor.byteLength() + " bytes and " + writtenOfCurrent + " are written, so ")
              + (chunk.remaining() + " more are too many"));
    }
    writtenOfCurrent += chunk.remaining();
    file.write(chunk);
    skipComplete();
  }

  /** Syncs the file and gives it its name; an error where bytes are missing. */
  public WrittenFile finish() {
    if (current < tensors.size()) {
      TensorEntry tensor = tensors.get(current);
      throw new DuokaException(
          ErrorCode.FORMAT,
          ("cannot finish " + path + ": tensor '" + tensor.name() + "' has " + writtenOfCurrent)
              + (" of " + tensor.byteLength() + " bytes"),
          "This is an error of the program; please report it.");
    }
    return file.finish();
  }

  /** Deletes an unfinished file; does nothing after {@link #finish}. */
  @Override
  public void close() {
    file.close();
  }

  /** Where each tensor comes to lie. */
  static List<TensorEntry> layOut(Path path, List<TensorDeclaration> declarations) {
    List<TensorDeclaration> sorted = new ArrayList<>(declarations);
    sorted.sort(
        Comparator.comparingInt((TensorDeclaration tensor) -> -tensor.dtype().byteSize())
            .thenComparing(TensorDeclaration::name));
    Set<String> names = new HashSet<>();
    List<TensorEntry> tensors = new ArrayList<>();
    long begin = 0;
    for (TensorDeclaration tensor : sorted) {
      if (!names.add(tensor.name())) {
        throw duplicate(path, tensor.name());
      }
      long bytes = tensor.byteLength();
      tensors.add(new TensorEntry(tensor.name(), tensor.dtype(), tensor.shape(), begin, bytes));
      begin = Math.addExact(begin, bytes);
    }
    return List.copyOf(tensors);
  }

  static DuokaException duplicate(Path path, String name) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot write " + path + ": two tensors are named '" + name + "'",
        "Names must be unique.");
  }

  private void skipComplete() {
    while (current < tensors.size() && writtenOfCurrent == tensors.get(current).byteLength()) {
      current++;
      writtenOfCurrent = 0;
    }
  }

  private DuokaException wrongOrder(String name, String problem) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot write tensor '" + name + "' to " + path + ": " + problem,
        "This is an error of the program; please report it.");
  }
}
