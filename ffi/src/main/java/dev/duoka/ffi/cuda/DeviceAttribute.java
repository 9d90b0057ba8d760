package dev.duoka.ffi.cuda;

/** What a device can be asked for; the numbers are those of {@code CUdevice_attribute}. */
public enum DeviceAttribute {
  /** Threads of one block at most. */
  MAX_THREADS_PER_BLOCK(1),
  /** Bytes of shared memory per block without opting in. */
  MAX_SHARED_MEMORY_PER_BLOCK(8),
  /** Threads of one warp. */
  WARP_SIZE(10),
  /** 32-bit registers per block. */
  MAX_REGISTERS_PER_BLOCK(12),
  /** Streaming multiprocessors. */
  MULTIPROCESSOR_COUNT(16),
  /** 1 where the device shares its memory with the host. */
  INTEGRATED(18),
  /** 1 where memory is protected by ECC. */
  ECC_ENABLED(32),
  /** Width of the memory bus in bits. */
  MEMORY_BUS_WIDTH(37),
  /** Bytes of the level-2 cache. */
  L2_CACHE_SIZE(38),
  /** Threads that one multiprocessor holds at a time. */
  MAX_THREADS_PER_MULTIPROCESSOR(39),
  /** Copy engines that run beside kernels. */
  COPY_ENGINES(40),
  /** The first number of the compute capability. */
  COMPUTE_CAPABILITY_MAJOR(75),
  /** The second number of the compute capability. */
  COMPUTE_CAPABILITY_MINOR(76),
  /** Bytes of shared memory of one multiprocessor. */
  MAX_SHARED_MEMORY_PER_MULTIPROCESSOR(81),
  /** Bytes of shared memory that one block gets when it opts in. */
  MAX_SHARED_MEMORY_PER_BLOCK_OPT_IN(97);

  private final int code;

  DeviceAttribute(int code) {
    this.code = code;
  }

  int code() {
    return code;
  }
}
