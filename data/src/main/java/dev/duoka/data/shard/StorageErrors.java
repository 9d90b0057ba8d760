package dev.duoka.data.shard;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.file.Path;

/** Messages for a cache folder that cannot be read or written. */
final class StorageErrors {
  private StorageErrors() {}

  static DuokaException of(String attempted, Path path, IOException cause) {
    String message = String.valueOf(cause.getMessage());
    // Java has no exception type for a full disk or quota; these are the texts of strerror(3).
    if (message.contains("No space left") || message.contains("Disk quota exceeded")) {
      return new DuokaException(
          ErrorCode.NO_SPACE,
          attempted + " " + path + ": the file system is full",
          "Free space there, or choose another cache folder.",
          cause);
    }
    return new DuokaException(
        ErrorCode.IO,
        attempted + " " + path + ": " + cause.getClass().getSimpleName() + " (" + message + ")",
        "Check that the folder exists and can be written, or choose another cache folder.",
        cause);
  }
}
