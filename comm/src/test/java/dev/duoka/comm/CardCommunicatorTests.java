package dev.duoka.comm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Gpus;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Products;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every transport between cards must do: on every GPU of the machine, one rank each. */
@Tag("several-gpus")
@Timeout(90)
public abstract class CardCommunicatorTests {
  private static final int RANKS = Gpus.require().size();

  /** The transport over ranks whose hosts talk already. */
  protected abstract Communicator over(Communicator host);

  /** What a rank does with its communicator. */
  private interface Body {
    void run(Communicator world, Device device);
  }

  private void ranks(Body body) {
    assertThat(RANKS).as("GPUs of this machine").isGreaterThan(1);
    LocalRanks.run(
        RANKS,
        host -> {
          Device device = Device.cuda(host.rank());
          ComputeThread.prepare(device, 1, RANKS);
          try (Communicator world = over(host);
              Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            body.run(world, device);
            host.agreement().barrier();
          }
        });
  }

  @Test
  void collectivesGiveWhatTheirNamesSay() {
    ranks(
        (world, device) -> {
          int rank = world.rank();
          Tensor sum = Tensors.full(rank + 1, Dtype.FLOAT32, device, 1001);
          world.allReduce(sum).join();
          assertThat(HostCopy.floats(sum)).containsOnly(RANKS * (RANKS + 1) / 2f);
          Tensor full = Tensors.full(rank + 1, Dtype.BFLOAT16, device, 64L * RANKS);
          Tensor shard = Tensors.zeros(Dtype.BFLOAT16, device, 64);
          world.reduceScatter(full, shard).join();
          assertThat(HostCopy.floats(shard)).containsOnly(RANKS * (RANKS + 1) / 2f);
          Tensor own = Tensors.full(rank, Dtype.FLOAT64, device, 3);
          Tensor all = Tensors.zeros(Dtype.FLOAT64, device, 3L * RANKS);
          world.allGather(own, all).join();
          double[] gathered = HostCopy.doubles(all);
          for (int i = 0; i < gathered.length; i++) {
            assertThat(gathered[i]).isEqualTo((double) Math.floorDiv(i, 3));
          }
          Tensor told = Tensors.full(rank, Dtype.INT64, device, 5);
          world.broadcast(told, RANKS - 1).join();
          assertThat(HostCopy.longs(told)).containsOnly(RANKS - 1L);
        });
  }

  /** Rank r sends r + s + 1 rows to rank s, each with the number 10 r + s. */
  @Test
  void rowsGoByCount() {
    ranks(
        (world, device) -> {
          int rank = world.rank();
          long[] counts = LongStream.range(0, RANKS).map(other -> rank + other + 1).toArray();
          long rows = LongStream.of(counts).sum();
          Tensor send = Tensors.empty(Dtype.FLOAT32, device, rows, 8);
          long start = 0;
          for (int other = 0; other < RANKS; other++) {
            Tensor part = Views.narrow(send, 0, start, counts[other]);
            Tensors.fill(part, 10 * rank + other);
            start += counts[other];
          }
          Tensor receive = Tensors.zeros(Dtype.FLOAT32, device, rows, 8);
          world.allToAll(send, counts, receive, counts).join();
          float[] got = HostCopy.floats(receive);
          int at = 0;
          for (int other = 0; other < RANKS; other++) {
            for (long i = 0; i < 8 * counts[other]; i++) {
              assertThat(got[at++]).isEqualTo(10 * other + rank);
            }
          }
        });
  }

  @Test
  void partsOfTheWorldExchangeApart() {
    ranks(
        (world, device) -> {
          int half = world.rank() % 2;
          try (Communicator part = world.split("half", half, -world.rank())) {
            Tensor sum = Tensors.full(world.rank(), Dtype.FLOAT32, device, 7);
            Tensor all = Tensors.full(1, Dtype.FLOAT32, device, 7);
            Pending inPart = part.allReduce(sum);
            Pending inWorld = world.allReduce(all);
            inPart.join();
            inWorld.join();
            int expected = 0;
            for (int rank = half; rank < RANKS; rank += 2) {
              expected += rank;
            }
            assertThat(HostCopy.floats(sum)).containsOnly(expected);
            assertThat(HostCopy.floats(all)).containsOnly(RANKS);
            world.agreement().barrier();
          }
        });
  }

  /** The host goes on while the device computes, and a result waits for its collective alone. */
  @Test
  void nobodyWaitsBeforeTheJoin() {
    ranks(
        (world, device) -> {
          Tensor busy = Tensors.full(0.01, Dtype.BFLOAT16, device, 8192, 8192);
          Tensor values = Tensors.full(1, Dtype.FLOAT32, device, 1 << 20);
          Products.mm(busy, busy);
          world.allReduce(values).join();
          HostCopy.item(Views.slice(values, 0, 1));
          world.agreement().barrier();
          for (int i = 0; i < 200; i++) {
            try (Scope _ = Scope.open()) {
              Products.mm(busy, busy);
            }
          }
          Pending pending = world.allReduce(values);
          assertThat(pending.isDone()).as("the products still run").isFalse();
          pending.join();
          assertThat(HostCopy.item(Views.slice(values, 5, 1))).isEqualTo(RANKS * (double) RANKS);
        });
  }

  /** The others' hosts wait for a collective on their device that can never end. */
  @Test
  void aRankThatFailsReleasesTheOthers() {
    assertThatThrownBy(
            () ->
                ranks(
                    (world, device) -> {
                      if (world.rank() == 0) {
                        throw new IllegalStateException("rank 0 has had enough");
                      }
                      Tensor values = Tensors.full(1, Dtype.FLOAT32, device, 1 << 20);
                      world.allReduce(values).join();
                      HostCopy.item(Views.slice(values, 0, 1));
                      world.agreement().barrier();
                    }))
        .hasMessage("rank 0 has had enough");
  }

  /** What it did last is known although its hosts exchange by another communicator. */
  @Test
  void aRankThatStandsStillIsNamedWithItsLastCollective() {
    CountDownLatch never = new CountDownLatch(1);
    try {
      assertThatThrownBy(
              () ->
                  LocalRanks.run(
                      RANKS,
                      Duration.ofSeconds(8),
                      _ -> ExchangeLedger.NONE,
                      host -> {
                        Device device = Device.cuda(host.rank());
                        ComputeThread.prepare(device, 1, RANKS);
                        try (Communicator world = over(host);
                            Scope _ = Scope.open()) {
                          Tensor values = Tensors.full(1, Dtype.FLOAT32, device, 1 << 20);
                          try (Purpose _ = Purpose.of("layer 7")) {
                            world.allReduce(values).join();
                          }
                          if (host.rank() == 1) {
                            never.await();
                          }
                          world.agreement().barrier();
                        }
                      }))
          .hasMessageContaining("has waited 8 s in barrier in world")
          .hasMessageContaining(
              "for rank 1, which is behind all-reduce of 1048576 × float32 in world (layer 7)");
    } finally {
      never.countDown();
    }
  }

  @Test
  void aRankThatNeverComesIsAnErrorInTime() {
    assertThat(RANKS).isGreaterThan(1);
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    RANKS,
                    host -> {
                      ComputeThread.prepare(Device.cuda(host.rank()), 1, RANKS);
                      Communicator world = over(host);
                      if (host.rank() == 0) {
                        return; // it leaves without a word
                      }
                      try (world) {
                        world.agreement().barrier();
                      }
                    }))
        .isInstanceOf(DuokaException.class);
  }

  @Test
  void manyRoundsOnSeveralStreamsDoNotWedge() {
    ranks(
        (world, device) -> {
          try (Communicator pair = world.split("pair", world.rank() / 2, world.rank())) {
            Tensor weights = Tensors.full(0.01, Dtype.BFLOAT16, device, 1024, 1024);
            Tensor gradients = Tensors.full(1, Dtype.BFLOAT16, device, 1L << 20, 1);
            Tensor shard = Tensors.full(1, Dtype.BFLOAT16, device, (1L << 20) / RANKS, 1);
            Tensor activations = Tensors.full(1, Dtype.BFLOAT16, device, 1L << 18);
            for (int round = 0; round < 500; round++) {
              try (Scope _ = Scope.open()) {
                Products.mm(weights, weights);
                Pending inPair = pair.allReduce(activations);
                Pending reduced = world.reduceScatter(gradients, shard);
                Products.mm(weights, weights);
                inPair.join();
                reduced.join();
                world.allGather(shard, gradients).join();
              }
            }
            assertThat(HostCopy.doubles(Views.slice(shard, 0, 1))).hasSize(1);
            world.agreement().barrier();
          }
        });
  }

  /** Each rank sends to both neighbours before it receives from any, many times. */
  @Test
  void messagesCrossAndKeepTheirOrder() {
    ranks(
        (world, device) -> {
          int next = (world.rank() + 1) % RANKS;
          int last = (world.rank() + RANKS - 1) % RANKS;
          for (int round = 0; round < 100; round++) {
            try (Scope _ = Scope.open()) {
              List<Pending> sent = new ArrayList<>();
              for (int i = 0; i < 3; i++) {
                int mark = 1000 * round + 100 * i + world.rank();
                sent.add(world.send(Tensors.full(mark, Dtype.FLOAT32, device, 4097), next));
                sent.add(world.send(Tensors.full(-mark, Dtype.FLOAT32, device, 5), last));
              }
              for (int i = 0; i < 3; i++) {
                Tensor fromLast = Tensors.zeros(Dtype.FLOAT32, device, 4097);
                Tensor fromNext = Tensors.zeros(Dtype.FLOAT32, device, 5);
                Pending one = world.receive(fromLast, last);
                Pending two = world.receive(fromNext, next);
                two.join();
                one.join();
                int mark = 1000 * round + 100 * i;
                assertThat(HostCopy.floats(fromLast)).containsOnly(mark + last);
                assertThat(HostCopy.floats(fromNext)).containsOnly(-mark - next);
              }
              sent.forEach(Pending::join);
            }
          }
        });
  }

  @Test
  void sumsHaveTheSameBitsOnEveryRankAndTime() {
    ranks(
        (world, device) -> {
          float[] own = new float[100_003];
          Random random = new Random(world.rank());
          for (int i = 0; i < own.length; i++) {
            own[i] = random.nextFloat() - 0.5f;
          }
          Tensor first = HostCopy.fromFloats(own, Dtype.FLOAT32, device, own.length);
          Tensor second = HostCopy.fromFloats(own, Dtype.FLOAT32, device, own.length);
          world.allReduce(first).join();
          world.allReduce(second).join();
          float[] sum = HostCopy.floats(first);
          assertThat(HostCopy.floats(second)).isEqualTo(sum);
          Tensor ofFirst = HostCopy.fromFloats(sum, Dtype.FLOAT32, device, own.length);
          world.broadcast(ofFirst, 0).join();
          assertThat(HostCopy.floats(ofFirst)).isEqualTo(sum);
        });
  }
}
