package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.LongBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32C;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What was read of a {@code metrics.jsonl}, as columns that are mapped into memory: a file of a
 * million lines is there at once when it is looked at again. It is a cache: what is damaged or not
 * of this file is as if it were not there, and is made anew.
 *
 * <p>Little-endian: {@value #MAGIC}, the CRC-32C of all that follows, the bytes of the head, the
 * head as JSON filled up with blanks to a multiple of 8, and the columns of steps (64-bit integers)
 * and values (64-bit floating point), of which series with the same steps share those.
 */
final class ColumnFile {
  private static final long MAGIC = 0x31736e6d756c6f43L;
  private static final int PREFIX = 24;
  private static final int WORD = Long.BYTES;
  private static final int BLOCK = 1 << 16;

  private ColumnFile() {}

  /**
   * What a file holds.
   *
   * @param head what {@link #write} was given
   */
  record Content(ObjectNode head, Map<String, Series> series) {}

  /**
   * Writes all series, whole or not at all.
   *
   * @param head of the reader's own
   */
  static void write(Path file, ObjectNode head, Map<String, Series> series) throws IOException {
    ArrayNode columns = head.putArray("series");
    List<Series> steps = new ArrayList<>();
    List<Integer> starts = new ArrayList<>();
    long at = 0;
    for (Map.Entry<String, Series> each : series.entrySet()) {
      int same = sameSteps(steps, each.getValue());
      if (same < 0) {
        same = steps.size();
        steps.add(each.getValue());
        starts.add(Math.toIntExact(at));
        at += each.getValue().size();
      }
      ObjectNode column = columns.addObject();
      column.put("name", each.getKey());
      column.put("size", each.getValue().size());
      column.put("steps", starts.get(same));
      column.put("values", at);
      at += each.getValue().size();
    }
    byte[] text = padded(Json.line(head));
    if (PREFIX + text.length + at * WORD > Integer.MAX_VALUE) {
      return; // it cannot be mapped at once; the lines are read each time
    }
    Path temporary = Files.createTempFile(file.toAbsolutePath().getParent(), ".writing-", ".tmp");
    try {
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        Writer writer = new Writer(channel);
        writer.bytes(text);
        int written = 0;
        for (Series each : series.values()) {
          if (written < steps.size() && steps.get(written) == each) {
            written++;
            for (int i = 0; i < each.size(); i++) {
              writer.word(each.step(i));
            }
          }
          for (int i = 0; i < each.size(); i++) {
            writer.word(Double.doubleToRawLongBits(each.value(i)));
          }
        }
        writer.end(text.length);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** The number of an earlier series with the same steps; −1 where there is none. */
  private static int sameSteps(List<Series> earlier, Series series) {
    for (int i = 0; i < earlier.size(); i++) {
      Series other = earlier.get(i);
      boolean same = other.size() == series.size();
      for (int j = 0; same && j < series.size(); j++) {
        same = other.step(j) == series.step(j);
      }
      if (same) {
        return i;
      }
    }
    return -1;
  }

  private static byte[] padded(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int more = (WORD - bytes.length % WORD) % WORD;
    return (text + " ".repeat(more)).getBytes(StandardCharsets.UTF_8);
  }

  /** Reads a file; empty where there is none that is whole. */
  static Optional<Content> read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() < PREFIX || channel.size() > Integer.MAX_VALUE) {
        return Optional.empty();
      }
      MappedByteBuffer all = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      all.order(ByteOrder.LITTLE_ENDIAN);
      CRC32C sum = new CRC32C();
      sum.update(all.slice(16, all.limit() - 16));
      long head = all.getLong(16);
      if (all.getLong(0) != MAGIC
          || all.getLong(8) != sum.getValue()
          || head < 0
          || head > all.limit() - PREFIX) {
        return Optional.empty();
      }
      byte[] text = new byte[(int) head];
      all.get(PREFIX, text);
      return Json.parse(text, file.toString(), ErrorCode.FORMAT) instanceof ObjectNode json
          ? Optional.of(new Content(json, series(json, columns(all, PREFIX + (int) head))))
          : Optional.empty();
    } catch (DuokaException | IndexOutOfBoundsException e) {
      return Optional.empty(); // it is of another version, or damaged
    }
  }

  private static ByteBuffer columns(ByteBuffer all, int start) {
    return all.slice(start, all.limit() - start).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static Map<String, Series> series(ObjectNode head, ByteBuffer columns) {
    LongBuffer steps = columns.asLongBuffer();
    DoubleBuffer values = columns.asDoubleBuffer();
    Map<String, Series> all = new LinkedHashMap<>();
    for (JsonNode column : head.path("series")) {
      int size = column.path("size").asInt(0);
      Series series = new Series();
      series.take(
          steps.slice(column.path("steps").asInt(-1), size),
          values.slice(column.path("values").asInt(-1), size));
      all.put(column.path("name").asString(""), series);
    }
    return all;
  }

  /** Writes words through a block of memory, and sums them up. */
  private static final class Writer {
    private final FileChannel channel;
    private final ByteBuffer block =
        ByteBuffer.allocateDirect(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
    private final CRC32C sum = new CRC32C();

    Writer(FileChannel channel) throws IOException {
      this.channel = channel;
      channel.position(PREFIX);
    }

    void bytes(byte[] bytes) throws IOException {
      // The sum begins with the length of the head, which stands before it.
      ByteBuffer length = ByteBuffer.allocate(WORD).order(ByteOrder.LITTLE_ENDIAN);
      sum.update(length.putLong(0, bytes.length));
      for (int at = 0; at < bytes.length; at += WORD) {
        word(ByteBuffer.wrap(bytes, at, WORD).order(ByteOrder.LITTLE_ENDIAN).getLong());
      }
    }

    void word(long word) throws IOException {
      if (block.remaining() < WORD) {
        flush();
      }
      block.putLong(word);
    }

    void end(int head) throws IOException {
      flush();
      block.putLong(MAGIC).putLong(sum.getValue()).putLong(head).flip();
      channel.position(0);
      while (block.hasRemaining()) {
        channel.write(block);
      }
    }

    private void flush() throws IOException {
      block.flip();
      sum.update(block.duplicate());
      while (block.hasRemaining()) {
        channel.write(block);
      }
      block.clear();
    }
  }
}
