package dev.duoka.comm.tcp;

import dev.duoka.ffi.torch.HostMemory;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Memory of a rank from which others pull until all of them are done. Guarded by the world. */
final class Window {
  private final Endpoint owner;
  private final HostMemory memory;
  private final List<Integer> readers;
  private boolean forgotten;

  /**
   * A window.
   *
   * @param readers the world's numbers of those who will pull
   */
  Window(Endpoint owner, HostMemory memory, Collection<Integer> readers) {
    this.owner = owner;
    this.memory = memory;
    this.readers = new ArrayList<>(readers);
  }

  Endpoint owner() {
    return owner;
  }

  HostMemory stretch(long offset, long length) {
    return memory.asSlice(offset, length);
  }

  /** Who is not done yet. */
  List<Integer> readers() {
    return readers;
  }

  /** Nobody may read it any more: its rank has taken back what it was about. */
  void forget() {
    forgotten = true;
  }

  boolean isForgotten() {
    return forgotten;
  }

  void done(int reader) {
    readers.removeIf(other -> other == reader);
  }
}
