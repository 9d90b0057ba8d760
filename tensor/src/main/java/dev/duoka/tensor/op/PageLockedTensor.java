package dev.duoka.tensor.op;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Resources;
import dev.duoka.ffi.cuda.CudaAvailability;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.PageLock;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * A large flat CPU tensor whose pages can be locked piece by piece, beside a run whose launches
 * would otherwise wait for seconds. {@link HostTransfer#rowsToHost} cuts its copies where the
 * pieces end. Owns its memory.
 */
public final class PageLockedTensor implements AutoCloseable {
  /** Pieces end at addresses that are multiples of this. */
  static final long PIECE = 256L << 20;

  private static final long PAGE = 4096;

  private final Tensor values;
  private final long address;
  private final Resources owned;

  /** A stretch that is locked at once, in bytes from the first. */
  private record Piece(long start, long end) {}

  /**
   * Allocates the tensor, {@code [elements]}, with undefined contents and nothing locked.
   *
   * @param owner whom its memory is counted for
   */
  public PageLockedTensor(Dtype dtype, long elements, MemoryOwner owner) {
    try (Resources made = new Resources();
        Scope _ = Scope.open(owner)) {
      long slack = 2 * PAGE / dtype.bytes(); // pages of its own at both ends
      Tensor room = made.own(Scope.detach(Tensors.empty(dtype, Device.CPU, elements + slack)));
      long start = Views.addressOf(room);
      address = (start + PAGE - 1) / PAGE * PAGE;
      values =
          made.own(
              Scope.detach(Views.narrow(room, 0, (address - start) / dtype.bytes(), elements)));
      owned = made.release();
    }
  }

  /** The tensor; valid as long as this is open. */
  public Tensor values() {
    return values;
  }

  /**
   * What locks the pieces, each by itself and on any thread: touches its pages first, which is most
   * of the time. Nothing to do where the device is no GPU.
   */
  public List<Runnable> locks(Device device) {
    List<Runnable> locks = new ArrayList<>();
    if (device.isCuda()) {
      CudaDevice gpu = CudaAvailability.check().orElseThrow().get(device.index());
      for (Piece piece : pieces()) {
        locks.add(() -> lock(gpu, piece));
      }
    }
    return locks;
  }

  private List<Piece> pieces() {
    List<Piece> pieces = new ArrayList<>();
    long bytes = values.bytes();
    for (long start = 0; start < bytes; ) {
      long end = Math.min(bytes, endOfPiece(address + start) - address);
      pieces.add(new Piece(start, end));
      start = end;
    }
    return pieces;
  }

  /** Where the piece of an address ends. */
  static long endOfPiece(long address) {
    return (address / PIECE + 1) * PIECE;
  }

  /**
   * Locks a piece.
   *
   * @throws DuokaException of code {@code DEVICE} where the system refuses
   */
  private void lock(CudaDevice gpu, Piece piece) {
    touch(piece);
    long wholePages = (piece.end() - piece.start() + PAGE - 1) / PAGE * PAGE;
    PageLock lock = new PageLock(gpu, address + piece.start(), wholePages);
    synchronized (owned) {
      owned.own(lock);
    }
  }

  private void touch(Piece piece) {
    ByteBuffer memory =
        HostCopy.memoryOf(values)
            .asSlice(piece.start(), piece.end() - piece.start())
            .asByteBuffer();
    for (int at = 0; at < memory.limit(); at += (int) PAGE) {
      memory.put(at, (byte) 0);
    }
  }

  /** Unlocks and frees the memory; nothing may be on its way to it. */
  @Override
  public void close() {
    owned.close();
  }
}
