package dev.duoka.operations.control;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import tools.jackson.databind.JsonNode;

/** Values of JSON over a channel, a line each, of bounded length and time. */
final class Lines {
  private static final int LONGEST = 1 << 14;
  private static final long MILLISECONDS = 5_000;

  private Lines() {}

  static void write(SocketChannel channel, JsonNode value) throws IOException {
    ByteBuffer line = ByteBuffer.wrap((Json.line(value) + "\n").getBytes(StandardCharsets.UTF_8));
    while (line.hasRemaining()) {
      channel.write(line);
    }
  }

  /** Waits for a line. */
  static JsonNode read(SocketChannel channel) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocate(LONGEST);
    long end = System.nanoTime() + MILLISECONDS * 1_000_000;
    channel.configureBlocking(false);
    try {
      return read(channel, line, buffer, end);
    } finally {
      channel.configureBlocking(true);
    }
  }

  private static JsonNode read(
      SocketChannel channel, ByteArrayOutputStream line, ByteBuffer buffer, long end)
      throws IOException {
    try (Selector selector = Selector.open()) {
      channel.register(selector, SelectionKey.OP_READ);
      while (true) {
        long left = (end - System.nanoTime()) / 1_000_000;
        if (left <= 0 || selector.select(left) == 0) {
          throw new IOException("no line within " + MILLISECONDS + " ms");
        }
        selector.selectedKeys().clear();
        int read = channel.read(buffer.clear());
        for (int i = 0; i < read; i++) {
          if (buffer.get(i) == '\n') {
            return Json.parse(line.toByteArray(), "the control socket", ErrorCode.FORMAT);
          }
          line.write(buffer.get(i));
        }
        if (read < 0 || line.size() > LONGEST) {
          throw new IOException("no line of at most " + LONGEST + " bytes");
        }
      }
    }
  }
}
