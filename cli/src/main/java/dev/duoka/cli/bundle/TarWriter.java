package dev.duoka.cli.bundle;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes a tar archive in the POSIX ustar format (IEEE Std 1003.1-2017, pax). Times and owners are
 * fixed, so that equal contents give equal archives. Commons-compress would do, but needs {@code
 * java.desktop} and three libraries more, which every bundle would then carry.
 *
 * <p>Closing it closes the stream.
 */
final class TarWriter implements AutoCloseable {
  private static final int BLOCK = 512;
  private static final int NAME_BYTES = 100;
  private static final int PREFIX_BYTES = 155;
  private static final long TIME = 946_684_800; // 2000-01-01, in seconds since 1970

  private final OutputStream out;

  TarWriter(OutputStream out) {
    this.out = out;
  }

  /** Adds an empty folder. */
  void folder(String path) throws IOException {
    header(path + "/", 0, 0755, '5');
  }

  /** Adds a file. */
  void file(String path, byte[] content, boolean executable) throws IOException {
    header(path, content.length, executable ? 0755 : 0644, '0');
    out.write(content);
    out.write(new byte[Math.floorMod(-content.length, BLOCK)]);
  }

  @Override
  public void close() throws IOException {
    out.write(new byte[2 * BLOCK]); // two zero blocks end an archive
    out.close();
  }

  private void header(String path, long size, int mode, char type) throws IOException {
    byte[] header = new byte[BLOCK];
    int split = split(path);
    text(header, 0, path.substring(split));
    octal(header, 100, 8, mode);
    octal(header, 108, 8, 0); // owner
    octal(header, 116, 8, 0); // group
    octal(header, 124, 12, size);
    octal(header, 136, 12, TIME);
    Arrays.fill(header, 148, 156, (byte) ' '); // the checksum counts itself as blanks
    header[156] = (byte) type;
    text(header, 257, "ustar");
    text(header, 263, "00");
    text(header, 345, split == 0 ? "" : path.substring(0, split - 1));
    int checksum = 0;
    for (byte b : header) {
      checksum += Byte.toUnsignedInt(b);
    }
    octal(header, 148, 7, checksum);
    out.write(header);
  }

  /** Where the name field starts; what is before it goes to the prefix field. */
  private static int split(String path) {
    int length = path.getBytes(StandardCharsets.UTF_8).length;
    if (length <= NAME_BYTES) {
      return 0;
    }
    int slash = path.indexOf('/', Math.max(0, path.length() - NAME_BYTES - 1));
    if (slash < 0 || slash > PREFIX_BYTES || length != path.length()) {
      throw new IllegalArgumentException("too long for a tar archive: " + path);
    }
    return slash + 1;
  }

  private static void text(byte[] header, int offset, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(bytes, 0, header, offset, bytes.length);
  }

  private static void octal(byte[] header, int offset, int width, long value) {
    String digits = Long.toOctalString(value);
    text(header, offset, "0".repeat(width - 1 - digits.length()) + digits);
  }
}
