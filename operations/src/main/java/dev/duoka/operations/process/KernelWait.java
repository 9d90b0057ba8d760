package dev.duoka.operations.process;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the kernel says of a thread.
 *
 * @param state the scheduler's letter, for example {@code R} for running, {@code D} for a wait that
 *     nothing interrupts
 * @param channel the function that it waits in; empty where the kernel does not tell
 */
public record KernelWait(char state, String channel) {
  private static final int NAME = 15;

  /**
   * Of a thread of a process; empty when there is none of this name.
   *
   * @param thread its name, of which the kernel knows {@value #NAME} characters
   */
  public static Optional<KernelWait> of(long pid, String thread) {
    String name = thread.substring(0, Math.min(thread.length(), NAME));
    try (DirectoryStream<Path> tasks =
        Files.newDirectoryStream(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks) {
        Optional<KernelWait> wait = ofNamed(task, name);
        if (wait.isPresent()) {
          return wait;
        }
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.empty(); // the process is gone
    }
  }

  private static Optional<KernelWait> ofNamed(Path task, String name) {
    try {
      if (!Files.readString(task.resolve("comm")).strip().equals(name)) {
        return Optional.empty();
      }
      String stat = Files.readString(task.resolve("stat"));
      return Optional.of(new KernelWait(stat.charAt(stat.lastIndexOf(')') + 2), channel(task)));
    } catch (IOException e) {
      return Optional.empty(); // the thread is gone
    }
  }

  /** Whether it computes, in whatever language. */
  public boolean isRunning() {
    return state == 'R';
  }

  private static String channel(Path task) {
    try {
      String channel = Files.readString(task.resolve("wchan")).strip();
      return channel.equals("0") ? "" : channel;
    } catch (IOException e) {
      return ""; // only root may know, on some systems
    }
  }

  /** For example {@code waits in futex_do_wait}. */
  @Override
  public String toString() {
    return switch (state) {
      case 'R' -> "runs";
      case 'T' -> "is stopped";
      case 'D' -> "waits in the kernel, not to be interrupted" + in();
      default -> "waits" + in();
    };
  }

  private String in() {
    return channel.isEmpty() ? "" : " in " + channel;
  }
}
