package dev.duoka.ffi.cuda;

import dev.duoka.base.CacheFolder;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A kernel of ours: CUDA C++ that is compiled at its first use on this machine, loaded at its first
 * use on each device, and launched on LibTorch's current stream. Make one constant per kernel.
 *
 * <pre>{@code
 * KERNEL.call(device).grid(blocks).block(256).pointer(x).longInteger(n).launch();
 * }</pre>
 *
 * <p>Thread-safe.
 */
public final class CudaKernel {
  private static final Map<Nvrtc, KernelCache> CACHES = new ConcurrentHashMap<>();
  private static final Map<LoadedKey, CudaModule> MODULES = new ConcurrentHashMap<>();

  private record LoadedKey(KernelSource source, int device) {}

  private final KernelSource source;
  private final String entry;
  private final int dynamicSharedMemory;
  private final Map<Integer, CudaFunction> functions = new ConcurrentHashMap<>();

  private CudaKernel(KernelSource source, String entry, int dynamicSharedMemory) {
    this.source = source;
    this.entry = entry;
    this.dynamicSharedMemory = dynamicSharedMemory;
  }

  /**
   * Names a kernel.
   *
   * @param source what it is compiled from; several kernels may share it
   * @param entry its name, declared {@code extern "C"}
   */
  public static CudaKernel of(KernelSource source, String entry) {
    return new CudaKernel(source, entry, 0);
  }

  /** The same kernel, allowed to ask for more dynamic shared memory than 48 KiB per block. */
  public CudaKernel withDynamicSharedMemory(int bytes) {
    return new CudaKernel(source, entry, bytes);
  }

  /** The kernel on a device, compiled and loaded if it was not yet. */
  public CudaFunction on(int device) {
    CudaFunction function = functions.get(device);
    return function != null ? function : functions.computeIfAbsent(device, this::load);
  }

  /** Starts a launch on a device; {@link KernelCall#launch()} ends it. */
  public KernelCall call(int device) {
    return KernelCall.of(on(device));
  }

  private CudaFunction load(int ordinal) {
    CudaDevice device = CudaDriver.find().orElseThrow().device(ordinal);
    CudaModule module = MODULES.computeIfAbsent(new LoadedKey(source, ordinal), _ -> load(device));
    CudaFunction function = module.function(entry);
    if (dynamicSharedMemory > 0) {
      function.allowDynamicSharedMemory(dynamicSharedMemory);
    }
    return function;
  }

  private CudaModule load(CudaDevice device) {
    KernelCache cache =
        CACHES.computeIfAbsent(
            Nvrtc.find().orElseThrow(), nvrtc -> new KernelCache(CacheFolder.of("kernels"), nvrtc));
    String architecture = device.computeCapability().architecture();
    return device.load(source.name(), cache.cubin(source, architecture));
  }
}
