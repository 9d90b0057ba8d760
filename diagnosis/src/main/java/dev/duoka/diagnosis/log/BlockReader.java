package dev.duoka.diagnosis.log;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Optional;

/**
 * Cuts a log into blocks that end with a line. Of a line that is longer than a block, the pieces
 * overlap a little, so that no message is lost in the cut.
 */
public final class BlockReader implements AutoCloseable {
  /** Bytes that the pieces of one gigantic line share. */
  static final int OVERLAP = 512;

  private final LogSource source;
  private final InputStream bytes;
  private final int blockSize;
  private byte[] carried = new byte[0];
  private boolean ended;

  /**
   * Opens a log.
   *
   * @param blockSize bytes of a block, more than 1024
   */
  public BlockReader(LogSource source, int blockSize) {
    this.source = source;
    this.bytes = source.open();
    this.blockSize = blockSize;
  }

  /** The next block; empty at the end. The block belongs to the caller. */
  public Optional<TextBlock> next() {
    if (ended) {
      return Optional.empty();
    }
    byte[] block = Arrays.copyOf(carried, blockSize);
    int length = carried.length;
    try {
      length += bytes.readNBytes(block, length, blockSize - length);
    } catch (IOException e) {
      // A truncated .gz: what was readable is still worth a diagnosis.
      if (length == 0) {
        throw source.cannotRead(e);
      }
      ended = true;
      return Optional.of(new TextBlock(block, length));
    }
    if (length < blockSize) {
      ended = true;
      return length == 0 ? Optional.empty() : Optional.of(new TextBlock(block, length));
    }
    int end = endOfLastLine(block, length);
    int keptFrom = end == 0 ? length - OVERLAP : end;
    carried = Arrays.copyOfRange(block, keptFrom, length);
    return Optional.of(new TextBlock(block, end == 0 ? length : end));
  }

  private static int endOfLastLine(byte[] block, int length) {
    for (int end = length; end > OVERLAP; end--) {
      if (block[end - 1] == '\n' || block[end - 1] == '\r') {
        return end;
      }
    }
    return 0;
  }

  @Override
  public void close() {
    try {
      bytes.close();
    } catch (IOException e) {
      throw source.cannotRead(e);
    }
  }
}
