package dev.duoka.base;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Says why a file operation failed; the JDK's own messages are often the path alone. */
public final class IoReason {
  private IoReason() {}

  /** For example {@code permission denied}, or the system's own words where they say more. */
  public static String of(IOException e) {
    if (isFull(e)) {
      return "the file system is full";
    }
    if (isReadOnly(e)) {
      return "the file system is read-only";
    }
    return switch (e) {
      case NoSuchFileException _ -> "there is no such file or folder";
      case AccessDeniedException _ -> "permission denied";
      case FileAlreadyExistsException _ -> "something of that name is in the way";
      case NotDirectoryException _ -> "it is not a folder";
      case FileSystemLoopException _ -> "its links go round in a circle";
      case FileSystemException system when system.getReason() != null -> system.getReason();
      default -> {
        String message = e.getMessage();
        yield e.getClass().getSimpleName() + (message == null ? "" : " (" + message + ")");
      }
    };
  }

  /** Whether there was no room; the JDK tells it by the system's message alone. */
  public static boolean isFull(IOException e) {
    String message = String.valueOf(e.getMessage());
    return message.contains("No space left") || message.contains("quota exceeded");
  }

  /** Whether the file system can be read alone; the JDK tells it by the system's message alone. */
  public static boolean isReadOnly(IOException e) {
    return String.valueOf(e.getMessage()).contains("Read-only file system");
  }
}
