package dev.duoka.operations.watch;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes the measures of a run as an event file of TensorBoard, which other tools import too:
 * records of a length, its checksum, an {@code Event} of protocol buffers and its checksum.
 */
final class EventFile implements AutoCloseable {
  /** Added to a turned checksum, as the record format wants it. */
  private static final int MASK = 0xa282ead8;

  private static final int LONG_FIELD = 0;
  private static final int DOUBLE_FIELD = 1;
  private static final int BYTES_FIELD = 2;
  private static final int FLOAT_FIELD = 5;

  private final OutputStream out;

  private EventFile(OutputStream out) {
    this.out = out;
  }

  /**
   * Writes all values of all series, in the order of the steps within each.
   *
   * @param folder in which the file is made, with a name that TensorBoard looks for
   * @return the file
   */
  static Path write(Path folder, Map<String, Series> series) throws IOException {
    Series times = series.get("time");
    double first = times == null || times.isEmpty() ? 0 : times.value(0);
    Path file =
        Files.createDirectories(folder).resolve("events.out.tfevents." + (long) first + ".duoka");
    try (EventFile events = new EventFile(new BufferedOutputStream(Files.newOutputStream(file)))) {
      events.version(first);
      for (Map.Entry<String, Series> each : series.entrySet()) {
        if (!each.getKey().equals("time")) {
          events.all(tag(each.getKey()), each.getValue(), times);
        }
      }
    }
    return file;
  }

  /** TensorBoard groups by what stands before a slash. */
  private static String tag(String name) {
    String tag = name.replace(':', '/');
    int point = tag.indexOf('.');
    int slash = tag.indexOf('/');
    return point > 0 && (slash < 0 || point < slash)
        ? tag.substring(0, point) + "/" + tag.substring(point + 1)
        : tag;
  }

  private void version(double time) throws IOException {
    Message event = new Message();
    event.field(1, DOUBLE_FIELD).eight(Double.doubleToLongBits(time));
    event.bytes(3, "brain.Event:2".getBytes(StandardCharsets.UTF_8));
    record(event.toByteArray());
  }

  private void all(String tag, Series series, @Nullable Series times) throws IOException {
    for (int i = 0; i < series.size(); i++) {
      Message value = new Message();
      value.bytes(1, tag.getBytes(StandardCharsets.UTF_8));
      value.field(2, FLOAT_FIELD).four(Float.floatToIntBits((float) series.value(i)));
      Message summary = new Message();
      summary.bytes(1, value.toByteArray());
      Message event = new Message();
      event.field(1, DOUBLE_FIELD).eight(Double.doubleToLongBits(time(times, series.step(i))));
      event.field(2, LONG_FIELD).variable(series.step(i));
      event.bytes(5, summary.toByteArray());
      record(event.toByteArray());
    }
  }

  private static double time(@Nullable Series times, long step) {
    if (times == null || times.isEmpty()) {
      return 0;
    }
    return times.value(Math.min(times.size() - 1, times.indexOf(step)));
  }

  private void record(byte[] content) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    head.putLong(content.length);
    head.putInt(checksum(head.array(), Long.BYTES));
    out.write(head.array());
    out.write(content);
    out.write(
        ByteBuffer.allocate(4)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(checksum(content, content.length))
            .array());
  }

  /** The masked CRC-32C of the first bytes. */
  static int checksum(byte[] bytes, int length) {
    CRC32C sum = new CRC32C();
    sum.update(bytes, 0, length);
    return Integer.rotateRight((int) sum.getValue(), 15) + MASK;
  }

  @Override
  public void close() throws IOException {
    out.close();
  }

  /** A message of protocol buffers. */
  private static final class Message extends ByteArrayOutputStream {
    Message field(int number, int kind) {
      variable(number << 3 | kind);
      return this;
    }

    void bytes(int number, byte[] content) {
      field(number, BYTES_FIELD).variable(content.length);
      writeBytes(content);
    }

    void variable(long value) {
      long left = value;
      while ((left & ~0x7fL) != 0) {
        write((int) ((left & 0x7f) | 0x80));
        left >>>= 7;
      }
      write((int) left);
    }

    void eight(long value) {
      writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
    }

    void four(int value) {
      writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
    }
  }
}
