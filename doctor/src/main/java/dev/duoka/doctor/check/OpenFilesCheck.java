package dev.duoka.doctor.check;

import java.util.Optional;

/** Ranks, sockets, shards and mapped files count as open files. */
final class OpenFilesCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "open-files",
          "Open files",
          "ulimit -n, /proc/self/limits",
          "warning at 1024 or fewer on machines with several GPUs");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<Long> limit = out.known("open files", machine.host().openFiles());
    if (limit.isPresent() && limit.get() <= FEW && machine.gpus().size() > 1) {
      out.warning(
          "a process may have " + limit.get() + " files open",
          "'Too many open files' from NCCL or the data loader, often hours into a run",
          machine.inContainer()
              ? "docker run --ulimit nofile=65536:65536 …"
              : "ulimit -n 65536   # for good: echo '* - nofile 65536' | sudo tee"
                  + " /etc/security/limits.d/nofile.conf");
    }
  }

  private static final long FEW = 1024;
}
