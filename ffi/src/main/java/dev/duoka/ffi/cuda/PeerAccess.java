package dev.duoka.ffi.cuda;

import dev.duoka.ffi.link.NativeFunctions;

/** Access of one device to another's memory, taken back at the end if it was not there before. */
public final class PeerAccess implements AutoCloseable {
  /** {@code CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED}. */
  private static final int ALREADY_ENABLED = 704;

  private final CudaDevice from;
  private final CudaDevice to;
  private final boolean ours;

  /** Lets a device reach another's memory; it must be able to ({@code canAccessPeer}). */
  public PeerAccess(CudaDevice from, CudaDevice to) {
    this.from = from;
    this.to = to;
    int result = enable(from, to);
    ours = result == CudaErrors.SUCCESS;
    if (!ours && result != ALREADY_ENABLED) {
      throw CudaErrors.of(
          from.functions(), result, "cuCtxEnablePeerAccess from " + from + " to " + to);
    }
  }

  private static int enable(CudaDevice from, CudaDevice to) {
    long peer = to.context();
    from.useOnThisThread();
    try {
      return (int) from.functions().enablePeerAccess.invokeExact(peer, 0);
    } catch (Throwable t) {
      throw NativeFunctions.unexpected(t);
    }
  }

  @Override
  public void close() {
    if (ours) {
      from.useOnThisThread();
      try {
        CudaErrors.check(
            from.functions(),
            (int) from.functions().disablePeerAccess.invokeExact(to.context()),
            "cuCtxDisablePeerAccess on " + from);
      } catch (Throwable t) {
        throw NativeFunctions.unexpected(t);
      }
    }
  }
}
