package dev.duoka.data.shard;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Writes one series of records into files of a fixed size; each is synced when it is complete. */
final class SegmentWriter implements AutoCloseable {
  private static final int BUFFER = 1 << 20;

  private final Path folder;
  private final String series;
  private final long segmentBytes;
  private final ByteBuffer buffer;
  private final Map<String, Integer> checksums = new TreeMap<>();
  private final CRC32C crc = new CRC32C();
  private @Nullable FileChannel channel;
  private String name = "";
  private int files;
  private long written;

  SegmentWriter(Path folder, String series, long segmentBytes) {
    this.folder = folder;
    this.series = series;
    this.segmentBytes = segmentBytes;
    // Divides the segment, so that no record and no flush crosses the end of a file.
    this.buffer =
        ByteBuffer.allocateDirect((int) Math.min(BUFFER, segmentBytes))
            .order(ByteOrder.LITTLE_ENDIAN);
  }

  void putByte(byte value) throws IOException {
    buffer.put(value);
    flushIfFull();
  }

  /** Adds whole records. */
  void put(ByteBuffer records) throws IOException {
    while (records.hasRemaining()) {
      int count = Math.min(records.remaining(), buffer.remaining());
      buffer.put(buffer.position(), records, records.position(), count);
      buffer.position(buffer.position() + count);
      records.position(records.position() + count);
      flushIfFull();
    }
  }

  void putLong(long value) throws IOException {
    buffer.putLong(value);
    flushIfFull();
  }

  /** Completes the last file. */
  Map<String, Integer> finish() throws IOException {
    flush();
    endFile();
    return checksums;
  }

  private void flushIfFull() throws IOException {
    if (!buffer.hasRemaining()) {
      flush();
    }
  }

  private void flush() throws IOException {
    if (buffer.position() == 0) {
      return;
    }
    FileChannel out = channel;
    if (out == null) {
      name = ShardFiles.name(series, files++);
      out =
          FileChannel.open(
              folder.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      channel = out;
    }
    buffer.flip();
    written += buffer.remaining();
    crc.update(buffer.duplicate());
    while (buffer.hasRemaining()) {
      out.write(buffer);
    }
    buffer.clear();
    if (written == segmentBytes) {
      endFile();
    }
  }

  private void endFile() throws IOException {
    FileChannel out = channel;
    if (out != null) {
      out.force(true);
      out.close();
      channel = null;
      checksums.put(name, (int) crc.getValue());
      crc.reset();
      written = 0;
    }
  }

  /** Lets go of an unfinished file; nothing to do after {@link #finish}. */
  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
      channel = null;
    }
  }
}
