package dev.duoka.base;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Tells files from what only looks like one: opening a pipe waits for somebody to write into it,
 * and a device may never end.
 */
public final class OrdinaryFile {
  private static final int TYPE = 0170000;
  private static final int PIPE = 0010000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int BLOCK_DEVICE = 0060000;
  private static final int SOCKET = 0140000;
  private static final String A_PIPE = "pipe";
  private static final String REMEDY =
      "Write what it gives into a file first, and name that; where a command takes - for its"
          + " standard input, pipe into it";

  private OrdinaryFile() {}

  /**
   * Refuses a pipe, a socket or a device; what is a file, a folder, or not there, is not refused.
   *
   * @param code of the error
   * @throws DuokaException that says what it is
   */
  public static void require(Path file, ErrorCode code) {
    String kind = kind(file);
    if (!kind.isEmpty()) {
      throw refusal(file, kind, code);
    }
  }

  /**
   * Refuses a socket or a device, as {@link #require} does; a pipe may be read by {@link
   * PipeStream}.
   */
  public static void requireThisOrPipe(Path file, ErrorCode code) {
    String kind = kind(file);
    if (!kind.isEmpty() && !kind.equals(A_PIPE)) {
      throw refusal(file, kind, code);
    }
  }

  /** Whether it is a pipe: a shell's {@code <(…)}, or {@code /dev/stdin} behind another command. */
  public static boolean isPipe(Path file) {
    return kind(file).equals(A_PIPE);
  }

  private static DuokaException refusal(Path file, String kind, ErrorCode code) {
    return new DuokaException(
        code, "cannot read " + file + ": it is a " + kind + ", not a file", REMEDY);
  }

  /** For example {@code pipe}; empty for files, folders, and what cannot be looked at. */
  private static String kind(Path file) {
    try {
      if (Files.isRegularFile(file) || Files.isDirectory(file) || !Files.exists(file)) {
        return "";
      }
      int mode = Files.getAttribute(file, "unix:mode") instanceof Integer known ? known : 0;
      return switch (mode & TYPE) {
        case PIPE -> A_PIPE;
        case SOCKET -> "socket";
        case CHARACTER_DEVICE, BLOCK_DEVICE -> "device";
        default -> "";
      };
    } catch (IOException e) {
      return ""; // who reads it says why it cannot be read
    }
  }
}
