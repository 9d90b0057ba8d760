package dev.duoka.comm.tcp;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes connections and tells those of duoka's processes from others': whoever does not begin with
 * our word, does not know the run's secret, or says nothing for a while, is hung up on and disturbs
 * nobody.
 *
 * @param <T> what a process says of itself
 */
public final class Acceptor<T> implements AutoCloseable {
  /** With what each of our connections begins; its number changes with what follows. */
  private static final byte[] WORD = "duoka/2\n".getBytes(StandardCharsets.US_ASCII);

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** Reads what a process says of itself. */
  @FunctionalInterface
  public interface Greeting<T> {
    /**
     * Reads it; null for a process that is not wanted.
     *
     * @throws IOException when it is not what was expected; the connection is closed
     */
    @Nullable T read(DataInputStream in, SocketChannel channel) throws IOException;
  }

  /** A process that has said who it is. */
  public record Arrival<T>(T greeting, SocketChannel channel) {}

  private final ServerSocketChannel listener;
  private final RunSecret secret;
  private final Greeting<T> greeting;
  private final BlockingQueue<Arrival<T>> arrivals = new LinkedBlockingQueue<>();

  /** Begins to take connections, until it is closed; then the listener is closed too. */
  public Acceptor(ServerSocketChannel listener, RunSecret secret, Greeting<T> greeting) {
    this.listener = listener;
    this.secret = secret;
    this.greeting = greeting;
    Thread.ofPlatform().daemon().name("tcp-accept").start(this::accept);
  }

  private void accept() {
    while (listener.isOpen()) {
      try {
        SocketChannel channel = listener.accept();
        Thread.ofPlatform().daemon().name("tcp-greet").start(() -> greet(channel));
      } catch (IOException | OutOfMemoryError e) {
        // Closed, or a connection that was gone before it was taken, or nothing to take it with:
        // the others may still come.
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void greet(SocketChannel channel) {
    try {
      T said = read(channel);
      if (said != null) {
        arrive(new Arrival<>(said, channel));
        return;
      }
    } catch (IOException | RuntimeException e) {
      // Not one of ours: it is hung up on.
    }
    close(channel);
  }

  private void arrive(Arrival<T> arrival) {
    arrivals.add(arrival);
    // One that comes while this closes may be too late for close() to see it: nobody asks for it
    // any more, and it would wait for an answer.
    if (!listener.isOpen() && arrivals.remove(arrival)) {
      close(arrival.channel());
    }
  }

  private @Nullable T read(SocketChannel channel) throws IOException {
    Socket socket = channel.socket();
    socket.setSoTimeout((int) PATIENCE.toMillis());
    DataInputStream in = new DataInputStream(socket.getInputStream());
    if (!startsWithWord(in)) {
      return null;
    }
    sendWord(channel);
    if (!secret.admits(in, channel)) {
      return null;
    }
    T said = greeting.read(in, channel);
    socket.setSoTimeout(0);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    return said;
  }

  /**
   * Calls one of duoka's processes: both show that they know the run's secret.
   *
   * @param who in words
   * @param limit how long to wait for its answers
   * @return what it says from here on
   * @throws IOException when it is none of ours
   */
  public static DataInputStream introduce(
      SocketChannel channel, RunSecret secret, String who, Duration limit) throws IOException {
    sendWord(channel);
    channel.socket().setSoTimeout(Math.toIntExact(limit.toMillis()));
    DataInputStream in = new DataInputStream(channel.socket().getInputStream());
    if (!startsWithWord(in)) {
      throw new EOFException("it does not speak like one of ours");
    }
    secret.introduce(in, channel, who);
    return in;
  }

  /** Says that one of ours is there. */
  public static void sendWord(SocketChannel channel) throws IOException {
    channel.socket().getOutputStream().write(WORD);
  }

  /** Whether the other side is one of ours. */
  public static boolean startsWithWord(DataInputStream in) throws IOException {
    byte[] word = new byte[WORD.length];
    in.readFully(word);
    return Arrays.equals(word, WORD);
  }

  /** The next process; null when none has come until then, by {@link System#nanoTime}. */
  public @Nullable Arrival<T> next(long end) throws InterruptedException {
    return arrivals.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
  }

  static void close(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone, which is what was wanted.
    }
  }

  /** Takes no more; who has come and was not asked for is hung up on. */
  @Override
  public void close() throws IOException {
    listener.close();
    arrivals.forEach(arrival -> close(arrival.channel()));
  }
}
