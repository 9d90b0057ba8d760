package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One safetensors file, opened for reading.
 *
 * <p>Opening reads and checks the header alone. Reads are positional, so any number of threads may
 * read at once; as with every {@link FileChannel}, interrupting a reading thread closes the file.
 *
 * <pre>{@code
 * try (SafetensorsFile file = SafetensorsFile.open(path)) {
 *   TensorEntry entry = file.entry("model.norm.weight");
 *   ByteBuffer bytes = ByteBuffer.allocateDirect(Math.toIntExact(entry.byteLength()));
 *   file.read(entry, 0, bytes);
 * }
 * }</pre>
 */
public final class SafetensorsFile implements AutoCloseable {
  private final Path path;
  private final FileChannel channel;
  private final long dataStart;
  private final SafetensorsHeader header;
  private final Map<String, TensorEntry> byName = new LinkedHashMap<>();

  private SafetensorsFile(
      Path path, FileChannel channel, long dataStart, SafetensorsHeader header) {
    this.path = path;
    this.channel = channel;
    this.dataStart = dataStart;
    this.header = header;
    for (TensorEntry tensor : header.tensors()) {
      byName.put(tensor.name(), tensor);
    }
  }

  /** Opens a file and checks its header against its size. */
  public static SafetensorsFile open(Path path) {
    FileChannel channel = null;
    boolean opened = false;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
      long size = channel.size();
      String source = path.toString();
      if (size < SafetensorsHeader.PREFIX) {
        throw SafetensorsHeader.malformed(
            source, "it has " + size + " bytes, too few for a header's length");
      }
      ByteBuffer prefix = ByteBuffer.allocate(SafetensorsHeader.PREFIX);
      readFully(channel, prefix, 0, path);
      long length = prefix.flip().order(ByteOrder.LITTLE_ENDIAN).getLong();
      long limit = Math.min(SafetensorsHeader.MAX_LENGTH, size - SafetensorsHeader.PREFIX);
      if (length < 2 || length > limit) {
        throw SafetensorsHeader.malformed(
            source,
            ("its header's length is " + Long.toUnsignedString(length))
                + (" but the file has " + size + " bytes and headers at most ")
                + SafetensorsHeader.MAX_LENGTH);
      }
      ByteBuffer json = ByteBuffer.allocate((int) length);
      readFully(channel, json, SafetensorsHeader.PREFIX, path);
      long dataStart = SafetensorsHeader.PREFIX + length;
      SafetensorsHeader header = SafetensorsHeader.parse(json.array(), source, size - dataStart);
      SafetensorsFile file = new SafetensorsFile(path, channel, dataStart, header);
      opened = true;
      return file;
    } catch (IOException e) {
      throw FileErrors.reading(path, e);
    } finally {
      if (!opened && channel != null) {
        closeQuietly(channel);
      }
    }
  }

  /** Where the file is. */
  public Path path() {
    return path;
  }

  /** The header's free strings, {@code format} to {@code pt} for most. */
  public Map<String, String> metadata() {
    return header.metadata();
  }

  /** All tensors in the order of their bytes. */
  public List<TensorEntry> tensors() {
    return header.tensors();
  }

  /** Whether a tensor of this name is in the file. */
  public boolean contains(String name) {
    return byName.containsKey(name);
  }

  /** The tensor of this name; an error with the nearest name where there is none. */
  public TensorEntry entry(String name) {
    TensorEntry entry = byName.get(name);
    if (entry == null) {
      throw missing(path, name, byName);
    }
    return entry;
  }

  /**
   * Reads {@code into.remaining()} bytes of a tensor and advances the buffer.
   *
   * @param byteOffset the first byte to read, counted from the tensor's first
   */
  public void read(TensorEntry entry, long byteOffset, ByteBuffer into) {
    if (byteOffset < 0 || byteOffset > entry.byteLength() - into.remaining()) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          ("cannot read bytes " + byteOffset + " to " + (byteOffset + into.remaining()))
              + (" of tensor '" + entry.name() + "' in " + path)
              + (": it has " + entry.byteLength()),
          "This is an error of the program; please report it.");
    }
    try {
      readFully(channel, into, dataStart + entry.begin() + byteOffset, path);
    } catch (IOException e) {
      throw FileErrors.reading(path, e);
    }
  }

  /** Closes the file; reads fail from then on. A second call does nothing. */
  @Override
  public void close() {
    closeQuietly(channel);
  }

  static DuokaException missing(Path path, String name, Map<String, TensorEntry> byName) {
    String hint =
        NearestName.of(name, byName.keySet())
            .map(near -> "Did you mean '" + near + "'?")
            .orElse("The weights do not belong to this config.json, or the file is incomplete.");
    return new DuokaException(
        ErrorCode.FORMAT, path + " has no tensor '" + name + "' among its " + byName.size(), hint);
  }

  private static void readFully(FileChannel channel, ByteBuffer into, long position, Path path)
      throws IOException {
    long next = position;
    while (into.hasRemaining()) {
      int count = channel.read(into, next);
      if (count < 0) {
        throw SafetensorsHeader.malformed(
            path.toString(), "it ends at byte " + next + "; it was cut while it was read");
      }
      next += count;
    }
  }

  private static void closeQuietly(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // A file that was only read loses nothing when closing it fails.
    }
  }
}
