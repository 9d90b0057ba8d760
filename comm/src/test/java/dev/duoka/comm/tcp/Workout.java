package dev.duoka.comm.tcp;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.comm.RankBody;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.zip.CRC32;

/**
 * Every exchange there is, of small tensors and of large ones, and the checksums of what each rank
 * gets: the same whatever carries them.
 */
public final class Workout implements RankBody {
  /** More than what travels with an offer, in every dtype. */
  private static final int LARGE = 40_001;

  private final ConcurrentMap<Integer, List<String>> results = new ConcurrentHashMap<>();
  private final List<Dtype> dtypes;
  private final int large;

  /** Of all dtypes that sums are made of. */
  public Workout() {
    this(LARGE, Dtype.FLOAT64, Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.INT64);
  }

  /** Of these dtypes. */
  public Workout(Dtype... dtypes) {
    this(LARGE, dtypes);
  }

  /** With large tensors of so many elements, of these dtypes. */
  public Workout(int large, Dtype... dtypes) {
    this.large = large;
    this.dtypes = List.of(dtypes);
  }

  /** By rank. */
  public ConcurrentMap<Integer, List<String>> results() {
    return results;
  }

  @Override
  public void run(Communicator world) {
    List<String> out = new ArrayList<>();
    for (Dtype dtype : dtypes) {
      for (int length : new int[] {1, 7, large}) {
        try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
          collectives(world, dtype, length, out);
          messages(world, dtype, length, out);
        }
      }
    }
    try (Communicator parity = world.split("parity", world.rank() % 2, -world.rank());
        Communicator first = world.group("first", world.rank() == 0 ? List.of(0) : rest(world));
        Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      collectives(parity, Dtype.FLOAT32, 1000, out);
      collectives(first, Dtype.FLOAT32, 1000, out);
      collectives(world, Dtype.BFLOAT16, 40_000, out);
    }
    results.put(world.rank(), out);
  }

  private static List<Integer> rest(Communicator world) {
    List<Integer> ranks = new ArrayList<>();
    for (int rank = 1; rank < world.size(); rank++) {
      ranks.add(rank);
    }
    return ranks;
  }

  /** What a rank brings: numbers whose sum depends on the order of addition. */
  private static Tensor input(Communicator world, Dtype dtype, long length) {
    Inputs inputs = new Inputs(31 * length + world.rank(), Dtype.FLOAT64, Device.CPU);
    return dtype == Dtype.INT64
        ? inputs.indices(1000, length)
        : Copies.cast(inputs.normal(length), dtype);
  }

  private static void collectives(Communicator world, Dtype dtype, int length, List<String> out) {
    int size = world.size();
    int rank = world.rank();
    Tensor sum = input(world, dtype, length);
    world.allReduce(sum).join();
    note(out, "all-reduce", sum);

    Tensor full = input(world, dtype, (long) length * size);
    Tensor shard = Tensors.empty(dtype, Device.CPU, length);
    world.reduceScatter(full, shard).join();
    note(out, "reduce-scatter", shard);
    Tensor inPlace = input(world, dtype, (long) length * size);
    Tensor place = Views.narrow(inPlace, 0, (long) rank * length, length);
    world.reduceScatter(inPlace, place).join();
    note(out, "reduce-scatter in place", place);

    world.allGather(place, inPlace).join();
    note(out, "all-gather in place", inPlace);
    Tensor gathered = Tensors.zeros(dtype, Device.CPU, (long) length * size);
    world.allGather(shard, gathered).join();
    note(out, "all-gather", gathered);

    for (int root = 0; root < size; root++) {
      Tensor shared = input(world, dtype, length);
      world.broadcast(shared, root).join();
      note(out, "broadcast", shared);
    }

    long[] send = new long[size];
    long[] receive = new long[size];
    long sent = 0;
    long received = 0;
    for (int other = 0; other < size; other++) {
      send[other] = length * ((rank + 2L * other) % 3) / 2;
      receive[other] = length * ((other + 2L * rank) % 3) / 2;
      sent += send[other];
      received += receive[other];
    }
    Tensor rows = Views.reshape(input(world, dtype, 2 * sent + 2), -1, 2);
    Tensor target = Tensors.zeros(dtype, Device.CPU, received + 1, 2);
    world.allToAll(rows, send, target, receive).join();
    note(out, "all-to-all", target);

    double[] values = {0.1 * rank, 1.0 / (rank + 1), length};
    world.agreement().sum(values);
    out.add("agree " + values[0] + " " + values[1] + " " + values[2]);
    world.agreement().barrier();
  }

  /** Each sends to its right neighbour, two at once, and what came goes on one place further. */
  private static void messages(Communicator world, Dtype dtype, int length, List<String> out) {
    int right = (world.rank() + 1) % world.size();
    int left = (world.rank() + world.size() - 1) % world.size();
    Tensor own = input(world, dtype, length);
    Tensor first = Tensors.zeros(dtype, Device.CPU, length);
    Tensor second = Tensors.zeros(dtype, Device.CPU, length);
    Pending sent = world.send(own, right);
    Pending reception = world.receive(first, left);
    reception.join();
    Pending onward = world.send(first, right);
    world.receive(second, left).join();
    sent.join();
    onward.join();
    onward.join(); // a second time does nothing
    if (!sent.isDone() || !reception.isDone()) {
      throw new IllegalStateException("joined, but not done");
    }
    note(out, "message", first);
    note(out, "message onward", second);
  }

  private static void note(List<String> out, String what, Tensor tensor) {
    CRC32 sum = new CRC32();
    HostCopy.read(tensor, (_, chunk) -> sum.update(chunk));
    out.add(what + " " + tensor + " " + HexFormat.of().toHexDigits((int) sum.getValue()));
  }
}
