package dev.duoka.doctor.check;

import dev.duoka.base.ByteSize;
import dev.duoka.machine.probe.PciDevice;
import java.util.List;
import java.util.Optional;

/** RDMA registers memory, which counts as locked. */
final class MemlockCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "memlock",
          "Memory that may be locked",
          "ulimit -l, /proc/self/limits",
          "warning when it is limited and there are network adapters for RDMA; a note otherwise");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<Long> limit = out.known("locked memory", machine.host().lockedMemory());
    if (limit.isEmpty() || limit.get() >= ENOUGH || machine.gpus().isEmpty()) {
      return;
    }
    boolean rdma =
        machine.machine().pci().optional().orElse(List.of()).stream()
            .anyMatch(
                device ->
                    device.kind() == PciDevice.Kind.NETWORK
                        && (device.vendor().equals("0x15b3")
                            || device
                                .name()
                                .matches(".*(Mellanox|ConnectX|InfiniBand|Infiniband).*")));
    out.add(
        rdma ? Severity.WARNING : Severity.NOTE,
        "a process may lock " + ByteSize.text(limit.get()),
        rdma
            ? "registering memory for RDMA fails ('ibv_reg_mr failed'), or NCCL falls back to"
                + " sockets"
            : "only RDMA needs more; CUDA's pinned memory does not count",
        machine.inContainer()
            ? "docker run --ulimit memlock=-1 …"
            : "echo '* - memlock unlimited' | sudo tee /etc/security/limits.d/memlock.conf   # then"
                + " log in again");
  }

  private static final long ENOUGH = 16L << 30;
}
