package dev.duoka.comm.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Pending;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Ranks that share a GPU exchange without any host waiting for it. */
@Tag("cuda")
class CudaCommunicatorTests {
  private static final int RANKS = 2;

  /** Far more than what one all-reduce may hold beside its tensors. */
  private static final long ELEMENTS = 256L << 20;

  private static final long MOST_BESIDE = 64L << 20;

  /** Each keeps the card busy for more than a millisecond. */
  private static final int PRODUCTS = 200;

  @Test
  void anAllReduceWaitsForNoDeviceAndNeedsLittleMemory() {
    Device device = TestDevice.cuda();
    LocalRanks.run(
        RANKS,
        world -> {
          ComputeThread.prepare(device, 1, RANKS);
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
              StreamMark end = new StreamMark()) {
            // The first sum of a process loads its kernels, which may take longer than products.
            world.allReduce(Tensors.full(1, Dtype.FLOAT32, device, ELEMENTS)).join();
            Tensor values = Tensors.full(world.rank() + 1, Dtype.FLOAT32, device, ELEMENTS);
            Tensor busy = Tensors.full(0.01, Dtype.BFLOAT16, device, 8192, 8192);
            Products.mm(busy, busy);
            HostCopy.item(Views.slice(values, 0, 1));
            world.agreement().barrier();
            MemoryLedger ledger = MemoryLedger.of(device);
            long before = ledger.liveBytes();
            for (int i = 0; i < PRODUCTS; i++) {
              try (Scope _ = Scope.open()) {
                Products.mm(busy, busy);
              }
            }
            ledger.resetPeak();
            Pending pending = world.allReduce(values);
            pending.join();
            end.set(device);
            assertThat(end.isReached()).as("the products still run").isFalse();
            assertThat(ledger.peakBytes() - before).isLessThan(MOST_BESIDE);
            world.agreement().barrier();
            assertThat(HostCopy.item(Views.slice(values, ELEMENTS - 1, 1))).isEqualTo(3);
            assertThat(HostCopy.item(Views.slice(values, 0, 1))).isEqualTo(3);
          }
        });
  }
}
