package dev.duoka.tensor.kernel;

import static java.util.stream.Collectors.joining;

import dev.duoka.ffi.cuda.CudaKernel;
import dev.duoka.ffi.cuda.KernelCall;
import dev.duoka.ffi.cuda.KernelSource;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Views;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The kernels of one CUDA source, compiled at first use for the dtype and the card at hand.
 * Thread-safe.
 */
final class KernelFamily {
  /** With {@code -Dduoka.kernels=false} everything runs as compositions of ATen operators. */
  private static final boolean ENABLED =
      Boolean.parseBoolean(System.getProperty("duoka.kernels", "true"));

  /** Bytes of the widest access of a thread. */
  private static final int PACK_BYTES = 16;

  private static final int MAX_THREADS = 512;

  private record Key(Dtype dtype, String entry, int packs) {}

  private record Variant(Dtype dtype, int packs) {}

  private final List<String> files;
  private final int dynamicSharedMemory;
  private final Map<Variant, KernelSource> sources = new ConcurrentHashMap<>();
  private final Map<Key, CudaKernel> kernels = new ConcurrentHashMap<>();

  /**
   * The kernels of a source behind {@code common.cuh}.
   *
   * @param files what else comes before it, in order, and the source
   */
  KernelFamily(String... files) {
    this(List.of(files), 0);
  }

  private KernelFamily(List<String> files, int dynamicSharedMemory) {
    this.files = files;
    this.dynamicSharedMemory = dynamicSharedMemory;
  }

  /** The same kernels, allowed more dynamic shared memory than 48 KiB a block. */
  KernelFamily withDynamicSharedMemory(int bytes) {
    return new KernelFamily(files, bytes);
  }

  /** Whether the kernels run for tensors like this one: by device and dtype. */
  static boolean serve(Tensor tensor) {
    return serve(tensor.dtype(), tensor.device());
  }

  /** Whether the kernels run on a device for a model of this dtype. */
  static boolean serve(Dtype dtype, Device device) {
    boolean half = dtype == Dtype.BFLOAT16 || dtype == Dtype.FLOAT16;
    boolean there = device.isCuda() || (device.isMeta() && DryRunDevice.hasKernels(half));
    return ENABLED && there && (half || dtype == Dtype.FLOAT32);
  }

  /** Whether a tensor is dense and its rows of {@code width} are whole packs. */
  static boolean inPacks(Tensor tensor, long width) {
    return width % pack(tensor) == 0
        && tensor.isContiguous()
        && (tensor.device().isMeta() || Views.addressOf(tensor) % PACK_BYTES == 0);
  }

  /** Elements in a pack. */
  static int pack(Tensor tensor) {
    return PACK_BYTES / tensor.dtype().bytes();
  }

  /** Threads for a row, each with as many packs of it as there must be, in whole warps. */
  static int threads(Tensor tensor, long width) {
    long packs = Math.ceilDiv(width / pack(tensor), (long) packsPerThread(tensor, width));
    return (int) ((packs + 31) / 32 * 32);
  }

  /** The widest row that a block can keep with {@code packs} packs a thread. */
  static long widest(Tensor tensor, int packs) {
    return (long) MAX_THREADS * packs * pack(tensor);
  }

  /** Packs of a row for each thread of {@link #threads}: 1, 2, 4, 8 and so on. */
  static int packsPerThread(Tensor tensor, long width) {
    int packs = 1;
    while (widest(tensor, packs) < width) {
      packs *= 2;
    }
    return packs;
  }

  /** Starts a launch of one of the kernels for the dtype and the device of {@code like}. */
  KernelCall call(Tensor like, String entry) {
    return call(like, entry, 1);
  }

  /**
   * As {@link #call(Tensor, String)}, compiled for threads that keep {@code packs} packs each: what
   * the source calls PACKS.
   */
  KernelCall call(Tensor like, String entry, int packs) {
    return call(like.dtype(), like.device(), entry, packs);
  }

  /** As {@link #call(Tensor, String, int)}, where no tensor of the source's dtype is at hand. */
  KernelCall call(Dtype dtype, Device device, String entry, int packs) {
    return kernels
        .computeIfAbsent(
            new Key(dtype, entry, packs),
            key ->
                CudaKernel.of(
                        sources.computeIfAbsent(new Variant(key.dtype(), key.packs()), this::read),
                        key.entry())
                    .withDynamicSharedMemory(dynamicSharedMemory))
        .call(device.index());
  }

  private KernelSource read(Variant variant) {
    int element =
        switch (variant.dtype()) {
          case FLOAT32 -> 0;
          case BFLOAT16 -> 1;
          case FLOAT16 -> 2;
          default -> throw new IllegalArgumentException("no kernels for " + variant);
        };
    return new KernelSource(
        files.getLast(),
        text("common.cuh") + files.stream().map(KernelFamily::text).collect(joining()),
        List.of("-DELEMENT=" + element, "-DPACKS=" + variant.packs()));
  }

  private static String text(String name) {
    return KernelSource.resource(name, KernelFamily.class.getResourceAsStream(name)).code();
  }
}
