package dev.duoka.comm.meta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.ExchangeLedger;
import dev.duoka.comm.RankBody;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.ThreadLedger;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;

/** What a dry communicator notes and books is what ranks of threads do. */
class MetaCommunicatorTests {
  /** More than one chunk of a sum among three ranks. */
  private static final long LENGTH = 3 * ((1L << 22) + 5);

  @Test
  void notesAndBooksWhatRanksDo() throws Exception {
    Map<Integer, ExchangeLedger.InMemory> ledgers = new ConcurrentHashMap<>();
    Map<Integer, Long> peaks = new ConcurrentHashMap<>();
    LocalRanks.run(
        3,
        rank -> ledgers.computeIfAbsent(rank, _ -> new ExchangeLedger.InMemory()),
        world -> peaks.put(world.rank(), peak(world, Device.CPU)));
    for (int rank = 0; rank < 3; rank++) {
      ExchangeLedger.InMemory noted = new ExchangeLedger.InMemory();
      long booked = peak(new MetaCommunicator(rank, 3, noted), Device.META);
      ExchangeLedger.InMemory real = ledgers.getOrDefault(rank, new ExchangeLedger.InMemory());
      assertThat(noted.exchanges()).isEqualTo(real.exchanges()).isNotEmpty();
      assertThat(noted.completed()).isEqualTo(real.completed());
      assertThat(booked).isEqualTo(peaks.get(rank)).isPositive();
    }
  }

  /** The most that collectives hold beside their tensors. */
  private static long peak(Communicator world, Device device) throws Exception {
    RankBody body =
        ranks -> {
          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
            Tensor full = Tensors.zeros(Dtype.FLOAT32, device, LENGTH);
            long each = LENGTH / 3;
            Tensor shard = Views.narrow(full, 0, ranks.rank() * each, each);
            ranks.allReduce(full).join();
            ranks.reduceScatter(full, shard).join();
            ranks.allGather(shard, full).join();
            ranks.broadcast(full, 1).join();
            ranks.agreement().sum(new double[2]);
            ranks.agreement().barrier();
          }
        };
    try (ThreadLedger mine = ThreadLedger.open(device)) {
      body.run(world);
      return mine.ledger().peakByOwner().getOrDefault(MemoryOwner.COMMUNICATION, 0L);
    }
  }
}
