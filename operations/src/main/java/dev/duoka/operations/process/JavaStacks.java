package dev.duoka.operations.process;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the threads of another JVM stand: HotSpot's attach protocol, as jcmd speaks it, which needs
 * nothing of the threads themselves.
 *
 * @param text all of them, as the JVM prints it
 */
public record JavaStacks(String text) {
  private static final long LIMIT_MILLISECONDS = 3_000;
  private static final long TICK_MILLISECONDS = 20;
  private static final int MOST_BYTES = 4 << 20;
  private static final String REQUEST = "1\0threaddump\0\0\0\0";
  private static final Pattern THREAD =
      Pattern.compile("^\"([^\"]*)\".* nid=(?:0x[0-9a-f]+|\\d+) .*");

  /**
   * Asks a JVM of this user; waits a few seconds at most. Empty when it is no JVM, is stopped, or
   * does not answer.
   */
  public static Optional<JavaStacks> of(ProcessIdentity process) {
    if (!isJvm(process) || process.state().filter(state -> state != 'T').isEmpty()) {
      return Optional.empty();
    }
    long end = System.nanoTime() + LIMIT_MILLISECONDS * 1_000_000;
    try {
      Path socket = Path.of("/tmp/.java_pid" + process.pid());
      if (!Files.exists(socket) && !wake(process, socket, end)) {
        return Optional.empty();
      }
      return read(socket, end).map(JavaStacks::new);
    } catch (IOException e) {
      return Optional.empty(); // it has gone meanwhile
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  /** Other programs would die of the signal. */
  private static boolean isJvm(ProcessIdentity process) {
    return ProcessHandle.of(process.pid())
        .flatMap(handle -> handle.info().command())
        .filter(command -> command.endsWith("/java"))
        .isPresent();
  }

  /** SIGQUIT lets a JVM that finds this file open its socket; without it it prints its stacks. */
  private static boolean wake(ProcessIdentity process, Path socket, long end)
      throws IOException, InterruptedException {
    Path file = Path.of("/proc/" + process.pid() + "/cwd/.attach_pid" + process.pid());
    try {
      Files.createFile(file);
    } catch (FileAlreadyExistsException e) {
      // Somebody else has asked.
    }
    try {
      new ProcessBuilder("kill", "-QUIT", String.valueOf(process.pid())).start().waitFor();
      while (!Files.exists(socket)) {
        if (System.nanoTime() - end > 0) {
          return false;
        }
        TimeUnit.MILLISECONDS.sleep(TICK_MILLISECONDS);
      }
      return true;
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static Optional<String> read(Path socket, long end)
      throws IOException, InterruptedException {
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(ByteBuffer.wrap(REQUEST.getBytes(StandardCharsets.UTF_8)));
      channel.configureBlocking(false);
      ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
      for (int read = 0; read >= 0 && answer.size() < MOST_BYTES; ) {
        read = channel.read(buffer.clear());
        if (read > 0) {
          answer.write(buffer.array(), 0, read);
        } else if (read == 0) {
          if (System.nanoTime() - end > 0) {
            return Optional.empty();
          }
          TimeUnit.MILLISECONDS.sleep(TICK_MILLISECONDS);
        }
      }
    }
    return Optional.of(answer.toString(StandardCharsets.UTF_8));
  }

  /** Where each thread stands, innermost first, by the threads' names. */
  public Map<String, List<String>> threads() {
    Map<String, List<String>> threads = new TreeMap<>();
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      Matcher thread = THREAD.matcher(lines.get(i));
      if (thread.matches()) {
        List<String> frames = new ArrayList<>();
        for (int at = i + 1; at < lines.size() && !lines.get(at).isBlank(); at++) {
          String frame = lines.get(at).strip();
          if (frame.startsWith("at ")) {
            frames.add(frame.substring("at ".length()));
          }
        }
        threads.put(thread.group(1), frames);
      }
    }
    return threads;
  }
}
