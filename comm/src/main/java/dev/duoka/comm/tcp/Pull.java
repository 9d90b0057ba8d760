package dev.duoka.comm.tcp;

import dev.duoka.ffi.torch.HostMemory;

/** A stretch on its way from another rank's memory to this rank's. Guarded by the world. */
final class Pull {
  private final Endpoint owner;
  private final int source;
  private final HostMemory target;
  private long received;

  /**
   * A pull.
   *
   * @param source the world's number of the rank that it comes from
   */
  Pull(Endpoint owner, int source, HostMemory target) {
    this.owner = owner;
    this.source = source;
    this.target = target;
  }

  Endpoint owner() {
    return owner;
  }

  int source() {
    return source;
  }

  HostMemory target() {
    return target;
  }

  boolean isDone() {
    return received == target.byteSize();
  }

  /** Notes that a piece is in its place. */
  void received(long bytes) {
    received += bytes;
  }
}
