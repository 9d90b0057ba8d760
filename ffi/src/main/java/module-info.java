import org.jspecify.annotations.NullMarked;

/**
 * The only module that touches {@code java.lang.foreign}: finds, loads and binds LibTorch's C ABI,
 * the CUDA driver, NVRTC, NCCL and NVML. Its API speaks in {@code long} handles and Java arrays.
 */
@NullMarked
module dev.duoka.ffi {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;

  exports dev.duoka.ffi.cuda;
  exports dev.duoka.ffi.environment;
  exports dev.duoka.ffi.library;
  exports dev.duoka.ffi.nccl;
  exports dev.duoka.ffi.nvml;
  exports dev.duoka.ffi.torch;
}
