package dev.duoka.comm.peer;

import dev.duoka.comm.Communicator;
import dev.duoka.ffi.cuda.CudaDevice;
import dev.duoka.ffi.cuda.CudaDriver;
import dev.duoka.ffi.cuda.CudaEvent;
import dev.duoka.ffi.cuda.CudaStream;
import dev.duoka.ffi.cuda.DeviceBuffer;
import dev.duoka.ffi.cuda.HostMemory;
import dev.duoka.ffi.cuda.PageLock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The boards of a group, as one rank uses them: its own, in its device's memory, on which the
 * others show it stretches of theirs, and the addresses of theirs. A board has a place for each
 * rank's collectives, one for their results, then {@link #MESSAGES} for the messages of each rank.
 *
 * <p>Layout, as peer.cu declares it: 16 bytes of head, then 32 for each place.
 */
final class Boards implements AutoCloseable {
  /** Messages between two ranks that may be on their way at once. */
  static final int MESSAGES = 32;

  private static final int HEAD = 16;
  private static final int PLACE = 32;
  private static final int READY = 16;
  private static final int DONE = 20;

  /** So far ahead of every number in use that whoever waits for one goes on. */
  private static final int FAR_AHEAD = 1 << 30;

  private final CudaDriver driver = CudaDriver.find().orElseThrow();
  private final CudaStream stream;
  private final DeviceBuffer own;
  private final long group;
  private final DeviceBuffer others;
  private final int ranks;

  /** What the others have read of this rank's, as of the last look; and the look on its way. */
  private final int[] read;

  private final HostMemory mirror;
  private final PageLock mirrorLock;
  private final CudaEvent looked;
  private boolean looking;

  /** Makes this rank's board and learns of the others'. Collective. */
  Boards(Communicator hosts, CudaDevice device) {
    ranks = hosts.size();
    stream = device.newStream();
    own = new DeviceBuffer(device, bytes());
    others = new DeviceBuffer(device, (long) ranks * Long.BYTES);
    write(own, new byte[bytes()]);
    read = new int[ranks * (2 + MESSAGES)];
    mirror = new HostMemory(bytes());
    mirrorLock = new PageLock(device, mirror.address(), bytes());
    looked = device.newEvent();
    double[] addresses = new double[ranks];
    addresses[hosts.rank()] = own.address(); // below 2^53
    hosts.agreement().sum(addresses);
    group = (long) addresses[0];
    ByteBuffer table = ByteBuffer.allocate(ranks * Long.BYTES).order(ByteOrder.nativeOrder());
    for (double address : addresses) {
      table.putLong((long) address);
    }
    write(others, table.array());
    hosts.agreement().barrier(); // nobody shows anything on a board that is not clean yet
  }

  private int bytes() {
    return HEAD + PLACE * ranks * (2 + MESSAGES);
  }

  private void write(DeviceBuffer buffer, byte[] content) {
    try (HostMemory host = new HostMemory(content.length)) {
      host.bytes().put(content);
      driver.copyToDevice(buffer.address(), host.address(), content.length, stream.handle());
      driver.synchronize(stream.handle());
    }
  }

  /** This rank's board. */
  long own() {
    return own.address();
  }

  /** Where the addresses of all boards stand, on the device. */
  long all() {
    return others.address();
  }

  /**
   * The first place on any board of what ranks show in collectives; rank 0's, the others' follow.
   *
   * @param result what they have computed in them, rather than what they began with
   */
  int shown(boolean result) {
    return result ? ranks : 0;
  }

  /** The place on any board of message {@code number}, from 1, of rank {@code of}. */
  int place(int of, int number) {
    return 2 * ranks + of * MESSAGES + number % MESSAGES;
  }

  /** Holds a stream back until something is shown in a place of this rank's board. */
  void awaitShown(long on, int place, int number) {
    driver.holdBackUntil(on, own.address() + HEAD + (long) PLACE * place + READY, number);
  }

  /** Holds a stream back until the rank of that place has read what was shown to it. */
  void awaitRead(long on, int place, int number) {
    driver.holdBackUntil(on, own.address() + HEAD + (long) PLACE * place + DONE, number);
  }

  /**
   * Whether the rank of that place is known to have read what was shown to it. Never waits: it asks
   * the device, and the answer is there at a later call.
   */
  boolean isRead(int place, int number) {
    if (looking && looked.passed()) {
      looking = false;
      for (int i = 0; i < read.length; i++) {
        read[i] = mirror.bytes().getInt(HEAD + PLACE * i + DONE);
      }
    }
    boolean answer = read[place] - number >= 0;
    if (!answer && !looking) {
      looking = true;
      driver.copyToHost(mirror.address(), own.address(), bytes(), stream.handle());
      looked.record(stream.handle());
    }
    return answer;
  }

  /**
   * Releases every stream that waits for this board, whose kernels then read nothing. From any
   * thread; called again while others may still write.
   *
   * @param scratch of {@link #newScratch}
   */
  void release(HostMemory scratch) {
    ByteBuffer image = scratch.bytes();
    driver.copyToHost(scratch.address(), own.address(), bytes(), stream.handle());
    driver.synchronize(stream.handle());
    image.putInt(0, 1);
    driver.copyToDevice(own.address(), scratch.address(), Integer.BYTES, stream.handle());
    for (int at = HEAD; at < bytes(); at += PLACE) {
      image.putInt(at + READY, ahead(image.getInt(at + READY)));
      image.putInt(at + DONE, ahead(image.getInt(at + DONE)));
    }
    driver.copyToDevice(own.address(), scratch.address(), bytes(), stream.handle());
    driver.synchronize(stream.handle());
  }

  private static int ahead(int number) {
    return number >= FAR_AHEAD ? number : number + FAR_AHEAD;
  }

  /** Memory for {@link #release}. */
  HostMemory newScratch() {
    return new HostMemory(bytes());
  }

  /** Leaves the board, which goes when the others have left theirs. This rank writes no more. */
  @Override
  public void close() {
    driver.synchronize(stream.handle());
    looked.close();
    mirrorLock.close();
    mirror.close();
    others.close();
    stream.close();
    RetiredBoards.add(group, ranks, own);
  }
}
