package dev.duoka.operations.process;

import java.io.IOException;
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
  /** Of a thread of a process; empty when it is gone. */
  public static Optional<KernelWait> of(long pid, long thread) {
    Path task = Path.of("/proc/" + pid + "/task/" + thread);
    try {
      String stat = Files.readString(task.resolve("stat"));
      return Optional.of(new KernelWait(stat.charAt(stat.lastIndexOf(')') + 2), channel(task)));
    } catch (IOException e) {
      return Optional.empty();
    }
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
