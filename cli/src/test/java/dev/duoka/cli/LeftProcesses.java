package dev.duoka.cli;

import dev.duoka.operations.process.ProcessIdentity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Processes that a test has started, and those that they have started in their turn, also where no
 * file tells of them yet: they write into the test's folder until they are gone.
 */
final class LeftProcesses {
  private static final long SECONDS = 60;

  private LeftProcesses() {}

  /**
   * Ends all whose arguments or environment name a folder, and returns when none is left; this
   * process is spared.
   *
   * @throws AssertionError when some cannot be killed
   */
  static void end(Path folder) throws InterruptedException {
    long until = System.nanoTime() + SECONDS * 1_000_000_000;
    for (List<ProcessIdentity> left = of(folder); !left.isEmpty(); left = of(folder)) {
      if (System.nanoTime() - until > 0) {
        throw new AssertionError("processes that do not end: " + left);
      }
      left.forEach(ProcessIdentity::kill);
      Thread.sleep(20);
    }
  }

  private static List<ProcessIdentity> of(Path folder) {
    long own = ProcessHandle.current().pid();
    try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
      return all.map(ProcessHandle::pid)
          .filter(pid -> pid != own && names(pid, folder))
          .flatMap(pid -> ProcessIdentity.of(pid).stream())
          .filter(ProcessIdentity::isAlive)
          .toList();
    }
  }

  private static boolean names(long pid, Path folder) {
    return text(pid, "cmdline").contains(folder.toString())
        || text(pid, "environ").contains(folder.toString());
  }

  /** Empty for a process that is gone, or someone else's. */
  private static String text(long pid, String file) {
    try {
      byte[] bytes = Files.readAllBytes(Path.of("/proc", String.valueOf(pid), file));
      return new String(bytes, StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }
}
