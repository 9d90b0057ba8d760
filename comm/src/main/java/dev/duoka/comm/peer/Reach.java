package dev.duoka.comm.peer;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.PeerAccess;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;

/** Which cards reach each other's memory. */
final class Reach {
  private Reach() {}

  /**
   * Lets this rank's card reach those of all ranks, for the life of the process. Collective.
   *
   * @throws DuokaException on all ranks, naming the pairs that cannot or share a card, or that the
   *     ranks are of several processes
   */
  static void ofAll(Communicator hosts, CudaDevice device) {
    int[] ordinals = ordinals(hosts, device);
    StringBuilder refused = new StringBuilder();
    CudaDriver driver = CudaDriver.find().orElseThrow();
    for (int rank = 0; rank < ordinals.length; rank++) {
      for (int other = 0; other < ordinals.length; other++) {
        if (rank != other) {
          append(refused, driver.device(ordinals[rank]), driver.device(ordinals[other]));
        }
      }
    }
    if (!refused.isEmpty()) {
      throw new DuokaException(
          ErrorCode.DEVICE,
          "exchange by the cards' own memory: " + refused,
          "Set parallel.collectives to nccl, or to copies where ranks share a card; './duoka topo'"
              + " shows which cards reach each other");
    }
    for (int rank = 0; rank < ordinals.length; rank++) {
      if (rank != hosts.rank()) {
        // Never taken back: LibTorch and other communicators may use it meanwhile.
        new PeerAccess(device, driver.device(ordinals[rank]));
      }
    }
    letLibTorchReach(hosts, Device.cuda(device.ordinal()));
    hosts.agreement().barrier();
  }

  /**
   * Memory that LibTorch maps itself (its segments that grow) is seen by the cards that it has
   * mapped it for. A first copy from card to card has it do so, for what it has and will have.
   */
  private static void letLibTorchReach(Communicator hosts, Device device) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      Tensor own = Tensors.zeros(Dtype.FLOAT32, device, 1);
      hosts.allGather(own, Tensors.zeros(Dtype.FLOAT32, device, hosts.size())).join();
    }
  }

  private static void append(StringBuilder refused, CudaDevice from, CudaDevice to) {
    if (from == to || from.ordinal() == to.ordinal()) {
      refused.append(refused.isEmpty() ? "" : ", ").append("two ranks share ").append(from);
    } else if (!from.canAccessPeer(to)) {
      refused
          .append(refused.isEmpty() ? "" : ", ")
          .append(from)
          .append(" does not reach ")
          .append(to);
    }
  }

  /** The cards of all ranks, which are threads of one process. */
  private static int[] ordinals(Communicator hosts, CudaDevice device) {
    int size = hosts.size();
    double[] told = new double[2 * size];
    told[hosts.rank()] = device.ordinal();
    told[size + hosts.rank()] = ProcessHandle.current().pid();
    hosts.agreement().sum(told);
    int[] ordinals = new int[size];
    for (int rank = 0; rank < size; rank++) {
      ordinals[rank] = (int) told[rank];
      if (told[size + rank] != told[size]) {
        throw new DuokaException(
            ErrorCode.CONFIG,
            "exchange by the cards' own memory: rank "
                + rank
                + " is of another process than rank 0",
            "Set parallel.collectives to nccl, or launch.ranks_per_process to " + size);
      }
    }
    return ordinals;
  }
}
