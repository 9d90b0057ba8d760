package dev.duoka.comm.tcp;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The connection to another process: a thread that reads and never waits for anything but the
 * connection, and one that writes what is queued, of large stretches a piece at a time, so that
 * they hold up nothing else.
 */
final class Link {
  /** What is written or read at once of a stretch. */
  private static final int PIECE = 1 << 20;

  /** How long the reader has to come upon an end that the writer has noticed. */
  private static final Duration READING = Duration.ofMillis(500);

  /** What is written at once of a piece: the call returns when all of it is gone. */
  private static final int SLICE = 1 << 18;

  /** What is queued. */
  private sealed interface Outgoing {}

  private record Encoded(ByteBuffer bytes) implements Outgoing {}

  /** A stretch that was asked for, from {@code sent} on. */
  private record Stretch(Window window, long request, long offset, long length, long sent)
      implements Outgoing {}

  private final LinkReports reports;
  private final Peer peer;
  private final SocketChannel channel;
  private final Deque<Outgoing> queue = new ArrayDeque<>();
  private boolean lastIsQueued;
  private boolean broken;
  private final Thread reader;
  private final Thread writer;

  /** How many of its two threads are at a rank's tensor. Guarded by the world. */
  private int touching;

  /** Bytes that have come and gone. */
  private final AtomicLong moved = new AtomicLong();

  Link(LinkReports reports, Peer peer, SocketChannel channel) {
    this.reports = reports;
    this.peer = peer;
    this.channel = channel;
    reader = Thread.ofPlatform().daemon().name("tcp-read-" + peer.process()).unstarted(this::read);
    writer =
        Thread.ofPlatform().daemon().name("tcp-write-" + peer.process()).unstarted(this::write);
  }

  void start() {
    reader.start();
    writer.start();
  }

  Peer peer() {
    return peer;
  }

  /** A thread of this connection begins or ends with a rank's tensor. The world's lock is held. */
  void touch(int change) {
    touching += change;
  }

  boolean touches() {
    return touching > 0;
  }

  /** Bytes of what is written and read: while that grows, a piece on its way gets further. */
  long moved() {
    return moved.get();
  }

  /** Queues a frame. */
  void send(Frame frame) {
    queue(new Encoded(frame.encoded()));
  }

  /** Queues a stretch of a window that the other side has asked for. */
  void send(Window window, long request, long offset, long length) {
    queue(new Stretch(window, request, offset, length, 0));
  }

  private synchronized void queue(Outgoing next) {
    if (!lastIsQueued && !broken) {
      queue.add(next);
      notifyAll();
    }
  }

  /** Closes the connection at once; its threads end. */
  void abandon() {
    try {
      channel.close();
    } catch (IOException e) {
      reports.ended(this, e);
    }
    synchronized (this) {
      broken = true;
      notifyAll();
    }
  }

  /** Nothing more is written but what is queued. */
  synchronized void finish() {
    lastIsQueued = true;
    notifyAll();
  }

  /**
   * Waits until the other side has closed too, then closes in any case.
   *
   * @param end when the waiting ends, by {@link System#nanoTime}
   */
  void close(long end) throws InterruptedException {
    if (writer.join(until(end))) {
      reader.join(until(end));
    }
    abandon();
    writer.join();
    reader.join();
  }

  private static Duration until(long end) {
    return Duration.ofNanos(Math.max(1, end - System.nanoTime()));
  }

  private void write() {
    try {
      for (Outgoing next = next(); next != null; next = next()) {
        switch (next) {
          case Encoded frame -> write(frame.bytes());
          case Stretch stretch -> writePiece(stretch);
        }
      }
      channel.shutdownOutput();
    } catch (IOException e) {
      cannotWrite(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Throwable t) { // whatever it is, the ranks must not wait for this thread
      reports.ended(this, t);
    }
  }

  private void cannotWrite(IOException e) {
    synchronized (this) {
      broken = true;
    }
    try {
      // Where the other side has ended, the reader tells why: what it has sent before says more.
      if (!reader.join(READING)) {
        reports.unwritable(this, e);
        abandon();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized @Nullable Outgoing next() throws InterruptedException {
    while (queue.isEmpty() && !lastIsQueued && !broken) {
      wait();
    }
    return broken ? null : queue.poll();
  }

  private void writePiece(Stretch stretch) throws IOException {
    int length = (int) Math.min(PIECE, stretch.length() - stretch.sent());
    if (!reports.startSending(this, stretch.window())) {
      return;
    }
    try {
      ByteBuffer data =
          stretch.window().stretch(stretch.offset() + stretch.sent(), length).asByteBuffer();
      write(Frame.dataHead(stretch.request(), stretch.sent(), length), data);
    } finally {
      reports.endSending(this, stretch.window());
    }
    if (stretch.sent() + length < stretch.length()) {
      queue(
          new Stretch(
              stretch.window(),
              stretch.request(),
              stretch.offset(),
              stretch.length(),
              stretch.sent() + length));
    }
  }

  private void write(ByteBuffer... buffers) throws IOException {
    ByteBuffer last = buffers[buffers.length - 1];
    int end = last.limit();
    while (last.position() < end) {
      last.limit(Math.min(end, last.position() + SLICE));
      moved.addAndGet(channel.write(buffers));
    }
  }

  private void read() {
    ByteBuffer head = ByteBuffer.allocate(Frame.HEAD);
    try {
      while (readHead(head)) {
        Frame.Head next = Frame.decodeHead(head);
        if (next.frame().kind() == Frame.Kind.DATA) {
          readPiece(next.frame(), next.length());
        } else {
          ByteBuffer body = ByteBuffer.allocate(next.length());
          read(body);
          reports.receive(this, next.with(body.flip()));
        }
      }
      reports.ended(this, null);
    } catch (Throwable t) { // whatever it is, the ranks must not wait for this thread
      reports.ended(this, t);
    }
  }

  /** False at the end of what the other side sends. */
  private boolean readHead(ByteBuffer head) throws IOException {
    head.clear();
    while (head.hasRemaining()) {
      if (channel.read(head) < 0) {
        if (head.position() == 0) {
          return false;
        }
        throw new EOFException("the connection ended within a message");
      }
    }
    head.flip();
    return true;
  }

  private void readPiece(Frame data, int length) throws IOException {
    Pull pull = reports.startReceiving(this, data.first());
    if (pull == null) {
      read(ByteBuffer.allocate(length)); // nobody waits for it any more
      return;
    }
    boolean whole = false;
    try {
      read(pull.target().asSlice(data.second(), length).asByteBuffer());
      whole = true;
    } finally {
      reports.endReceiving(this, data.first(), pull, whole ? length : 0);
    }
  }

  private void read(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer);
      if (count < 0) {
        throw new EOFException("the connection ended within a message");
      }
      moved.addAndGet(count);
    }
  }
}
