package dev.duoka.doctor.check;

import dev.duoka.base.ByteSize;
import java.util.Optional;

/** NCCL and data loaders of other programs exchange data through /dev/shm. */
final class ShmCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "shm",
          "/dev/shm",
          "df /dev/shm",
          "error below 128 MiB, warning below 512 MiB a GPU, on machines with several GPUs");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<Long> size = out.known("/dev/shm", machine.host().shm());
    int gpus = machine.gpus().size();
    if (size.isEmpty() || gpus < 2) {
      return;
    }
    String fix =
        machine.inContainer()
            ? "docker run --shm-size=16g …   # or --ipc=host; in Kubernetes mount an emptyDir of"
                + " medium Memory"
            : "sudo mount -o remount,size=16G /dev/shm";
    String evidence = "/dev/shm has " + ByteSize.text(size.get()) + " for " + gpus + " GPUs";
    if (size.get() < SMALLEST) {
      out.error(
          evidence,
          "NCCL fails with 'No space left on device' as soon as ranks are processes of their own",
          fix);
    } else if (size.get() < PER_GPU * gpus) {
      out.warning(evidence, "NCCL and the data loaders of other frameworks may run out of it", fix);
    }
  }

  private static final long SMALLEST = 128L << 20;
  private static final long PER_GPU = 512L << 20;
}
