package dev.duoka.data.shard;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/** One series of a shard folder, mapped; absolute reads only, so any thread may read. */
final class MappedSegments {
  private final ByteBuffer[] segments;
  private final int shift;
  private final int mask;

  private MappedSegments(ByteBuffer[] segments, long segmentBytes) {
    this.segments = segments;
    this.shift = Long.numberOfTrailingZeros(segmentBytes);
    this.mask = (int) (segmentBytes - 1);
  }

  /** Maps the files of a series, which stand in {@code sizes} with their exact bytes. */
  static MappedSegments map(Path folder, String series, long segmentBytes, Map<String, Long> sizes)
      throws IOException {
    int count = (int) sizes.keySet().stream().filter(n -> n.startsWith(series + "-")).count();
    ByteBuffer[] segments = new ByteBuffer[count];
    for (int i = 0; i < count; i++) {
      segments[i] = map(folder.resolve(ShardFiles.name(series, i)));
    }
    return new MappedSegments(segments, segmentBytes);
  }

  static ByteBuffer map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel
          .map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
          .order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  byte byteAt(long offset) {
    return segments[(int) (offset >>> shift)].get((int) offset & mask);
  }

  long longAt(long offset) {
    return segments[(int) (offset >>> shift)].getLong((int) offset & mask);
  }

  void copyUnsignedShorts(long index, int[] into, int at, int count) {
    int done = 0;
    while (done < count) {
      long offset = (index + done) * Short.BYTES;
      ByteBuffer segment = segments[(int) (offset >>> shift)];
      int start = (int) offset & mask;
      int here = Math.min(count - done, (segment.capacity() - start) / Short.BYTES);
      for (int i = 0; i < here; i++) {
        into[at + done + i] = Short.toUnsignedInt(segment.getShort(start + i * Short.BYTES));
      }
      done += here;
    }
  }

  void copyInts(long index, int[] into, int at, int count) {
    int done = 0;
    while (done < count) {
      long offset = (index + done) * Integer.BYTES;
      ByteBuffer segment = segments[(int) (offset >>> shift)];
      int start = (int) offset & mask;
      int here = Math.min(count - done, (segment.capacity() - start) / Integer.BYTES);
      segment
          .slice(start, here * Integer.BYTES)
          .order(ByteOrder.LITTLE_ENDIAN)
          .asIntBuffer()
          .get(into, at + done, here);
      done += here;
    }
  }
}
