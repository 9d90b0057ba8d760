package dev.duoka.data.shard;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.data.source.SkipReason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** Writes the files of one shard folder; the index comes last. For one thread. */
final class ShardWriter implements AutoCloseable {
  private final Path folder;
  private final ShardFiles files;
  private final int vocabularySize;
  private final SegmentWriter tokenWriter;
  private final SegmentWriter maskWriter;
  private final SegmentWriter documentWriter;
  private long tokens;
  private long documents;
  private int maskBits;

  ShardWriter(Path folder, ShardFiles files, int vocabularySize) {
    this.folder = folder;
    this.files = files;
    this.vocabularySize = vocabularySize;
    this.tokenWriter = new SegmentWriter(folder, ShardFiles.TOKENS, files.segmentBytes());
    this.maskWriter = new SegmentWriter(folder, ShardFiles.MASK, files.segmentBytes());
    this.documentWriter = new SegmentWriter(folder, ShardFiles.DOCUMENTS, files.segmentBytes());
  }

  long tokens() {
    return tokens;
  }

  long documents() {
    return documents;
  }

  void write(PackedDocuments packed) throws IOException {
    long start = tokens;
    for (int i = 0; i < packed.documents(); i++) {
      documentWriter.putLong(start);
      documentWriter.putLong(packed.hash(i));
      start += packed.length(i);
    }
    tokenWriter.put(packed.bytes());
    if (files.lossMask()) {
      writeMask(packed);
    }
    tokens += packed.tokens();
    documents += packed.documents();
  }

  private void writeMask(PackedDocuments packed) throws IOException {
    for (int i = 0; i < packed.tokens(); i++) {
      int bit = (int) ((tokens + i) & 7);
      if (packed.learned(i)) {
        maskBits |= 1 << bit;
      }
      if (bit == 7) {
        maskWriter.putByte((byte) maskBits);
        maskBits = 0;
      }
    }
  }

  void finish(String key, Map<SkipReason, Long> skipped) throws IOException {
    if (files.lossMask() && (tokens & 7) != 0) {
      maskWriter.putByte((byte) maskBits);
    }
    Map<String, Integer> checksums = new TreeMap<>(tokenWriter.finish());
    checksums.putAll(maskWriter.finish());
    checksums.putAll(documentWriter.finish());
    ShardIndex index =
        new ShardIndex(key, files, vocabularySize, tokens, documents, skipped, checksums);
    CrashSafeFiles.write(folder.resolve(ShardIndex.FILE_NAME), ShardIndexJson.write(index));
  }

  @Override
  public void close() throws IOException {
    tokenWriter.close();
    maskWriter.close();
    documentWriter.close();
  }
}
