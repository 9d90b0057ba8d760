package dev.duoka.comm.peer;

import dev.duoka.ffi.cuda.CudaKernel;
import dev.duoka.ffi.cuda.KernelCall;
import dev.duoka.ffi.cuda.KernelSource;
import dev.duoka.tensor.Dtype;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The kernels of peer.cu, launched on a stream of one rank's device. Asynchronous. */
final class PeerKernels {
  private static final int THREADS = 512;

  /** Bytes that a block should have to move, and how many blocks fill the links of a card. */
  private static final long WORTH_A_BLOCK = 64 << 10;

  private static final int MOST_BLOCKS = 64;

  private record Key(String entry, int kind, int ranks) {}

  private static final Map<Key, CudaKernel> KERNELS = new ConcurrentHashMap<>();

  private final int device;
  private final Boards boards;
  private final int ranks;
  private final int rank;

  PeerKernels(int device, Boards boards, int ranks, int rank) {
    this.device = device;
    this.boards = boards;
    this.ranks = ranks;
    this.rank = rank;
  }

  /** Shows {@code count} ranks from {@code first} on the same stretch, in one place. */
  void show(int first, int count, int place, long address, long bytes, int number, long on) {
    call("show", 0)
        .grid(1)
        .block(count)
        .pointer(boards.all())
        .integer(first)
        .integer(place)
        .longInteger(address)
        .longInteger(bytes)
        .integer(number)
        .launch(on);
  }

  /** Tells {@code count} ranks from {@code first} on that what they showed has been read. */
  void release(int first, int count, int place, int number, long on) {
    call("release", 0)
        .grid(1)
        .block(count)
        .pointer(boards.all())
        .integer(first)
        .integer(place)
        .integer(number)
        .launch(on);
  }

  /**
   * Collects what stands in {@code count} places from {@code first} on, one behind the other.
   *
   * @param target where it is to lie
   * @param room bytes there
   */
  void pull(int first, int count, long target, long room, long on) {
    long each = Math.max(1, room / count / WORTH_A_BLOCK);
    call("pull", 0)
        .grid((int) Math.min(each, Math.max(1, MOST_BLOCKS / count)), count, 1)
        .block(THREADS)
        .pointer(boards.own())
        .integer(first)
        .integer(count)
        .integer(count == 1 ? 0 : rank + 1)
        .pointer(target)
        .longInteger(room)
        .launch(on);
  }

  /** Writes the sum of elements {@code start} to {@code start + count} of what all ranks show. */
  void sum(long start, long count, Dtype dtype, long target, long on) {
    long bytes = count * dtype.bytes();
    call("sum", kind(dtype))
        .grid(Math.clamp(bytes * ranks / WORTH_A_BLOCK, 1, MOST_BLOCKS))
        .block(THREADS)
        .pointer(boards.own())
        .longInteger(start)
        .longInteger(count)
        .pointer(target)
        .launch(on);
  }

  private KernelCall call(String entry, int kind) {
    return KERNELS
        .computeIfAbsent(
            new Key(entry, kind, ranks),
            key -> CudaKernel.of(source(key.kind(), ranks), key.entry()))
        .call(device);
  }

  private static KernelSource source(int kind, int ranks) {
    KernelSource plain =
        KernelSource.resource("peer.cu", PeerKernels.class.getResourceAsStream("peer.cu"));
    return new KernelSource(
        plain.name(), plain.code(), List.of("-DKIND=" + kind, "-DRANKS=" + ranks));
  }

  private static int kind(Dtype dtype) {
    return switch (dtype) {
      case FLOAT32 -> 0;
      case BFLOAT16 -> 1;
      case FLOAT16 -> 2;
      case FLOAT64 -> 3;
      case INT64 -> 4;
      case INT32 -> 5;
      case INT16, UINT8, BOOL, FLOAT8_E4M3 ->
          throw new IllegalArgumentException("no sums of " + dtype + " over ranks");
    };
  }
}
