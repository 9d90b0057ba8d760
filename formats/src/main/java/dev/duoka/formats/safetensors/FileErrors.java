package dev.duoka.formats.safetensors;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Turns I/O failures into errors made for users. */
final class FileErrors {
  private FileErrors() {}

  static DuokaException reading(Path file, IOException cause) {
    if (cause instanceof NoSuchFileException) {
      return new DuokaException(
          ErrorCode.IO,
          "cannot read " + file + ": there is no such file",
          "Check the path.",
          cause);
    }
    return new DuokaException(
        ErrorCode.IO, "cannot read " + file + ": " + cause, "Check the file and its disk.", cause);
  }

  /** A full disk has a code of its own; the JDK tells it by the system's message alone. */
  static DuokaException writing(Path file, IOException cause) {
    String message = String.valueOf(cause.getMessage());
    if (message.contains("No space left") || message.contains("quota exceeded")) {
      return new DuokaException(
          ErrorCode.NO_SPACE,
          "cannot write " + file + ": the file system is full" + freeSpace(file),
          "Free some space or choose another folder.",
          cause);
    }
    return new DuokaException(
        ErrorCode.IO,
        "cannot write " + file + ": " + cause,
        "Check that the folder exists and is writable.",
        cause);
  }

  private static String freeSpace(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    try {
      return folder == null
          ? ""
          : " (" + Files.getFileStore(folder).getUsableSpace() + " bytes left)";
    } catch (IOException e) {
      return ""; // The number is only a help; the error itself is already told.
    }
  }
}
