package dev.duoka.ffi.library;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Looks at a shared library before it is loaded: one that was cut off loads and then ends the
 * process by a signal when the missing part is needed.
 */
public final class ElfFile {
  private static final int HEADER = 64;
  private static final int MAGIC = 0x7f454c46; // big-endian: 0x7f, E, L, F
  private static final int CLASS = 4;
  private static final byte CLASS_64 = 2;
  private static final int PROGRAMS_AT = 32;
  private static final int SECTIONS_AT = 40;
  private static final int PROGRAM_SIZE = 54;
  private static final int SECTION_SIZE = 58;

  private ElfFile() {}

  /** What is wrong with a library by its headers; empty where nothing is. */
  public static Optional<String> problem(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      ByteBuffer header = read(channel, 0, HEADER);
      if (header.remaining() < HEADER
          || header.getInt(0) != MAGIC
          || header.get(CLASS) != CLASS_64) {
        return Optional.of("it is no shared library of 64 bits (" + size + " bytes)");
      }
      header.order(ByteOrder.LITTLE_ENDIAN);
      long end =
          Math.max(segmentsEnd(channel, header), tableEnd(header, SECTIONS_AT, SECTION_SIZE));
      return Long.compareUnsigned(end, size) > 0
          ? Optional.of(
              "it is cut off: it has "
                  + size
                  + " bytes and its headers name "
                  + Long.toUnsignedString(end))
          : Optional.empty();
    }
  }

  /** The end of the last stretch that is mapped. */
  private static long segmentsEnd(FileChannel channel, ByteBuffer header) throws IOException {
    long end = tableEnd(header, PROGRAMS_AT, PROGRAM_SIZE);
    int entry = Short.toUnsignedInt(header.getShort(PROGRAM_SIZE));
    long start = header.getLong(PROGRAMS_AT);
    if (start < 0 || end > channel.size() || entry < 40) {
      return end;
    }
    ByteBuffer table =
        read(channel, start, Math.toIntExact(end - start)).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at + entry <= table.limit(); at += entry) {
      // offset in the file, and bytes there
      long stretch = table.getLong(at + 8) + table.getLong(at + 32);
      end = Math.max(end, stretch);
    }
    return end;
  }

  /** The end of a table of headers, by where it starts and by size and number of its entries. */
  private static long tableEnd(ByteBuffer header, int start, int size) {
    long at = header.getLong(start);
    long entries = Short.toUnsignedLong(header.getShort(size + 2));
    return at + Short.toUnsignedLong(header.getShort(size)) * entries;
  }

  private static ByteBuffer read(FileChannel channel, long at, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) > 0) {}
    return bytes.flip();
  }
}
