package dev.duoka.data.shard;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.source.SkipReason;
import java.io.IOException;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

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

  void write(String documentId, EncodedDocument document) throws IOException {
    int[] ids = document.tokens();
    documentWriter.putLong(tokens);
    documentWriter.putLong(DocumentHash.of(documentId));
    for (int id : ids) {
      if (id < 0 || id >= vocabularySize) {
        throw new DuokaException(
            ErrorCode.DATA,
            "the document %s was encoded to token id %d, outside the vocabulary of %d"
                .formatted(documentId, id, vocabularySize),
            "Use the tokenizer that belongs to the model.");
      }
      switch (files.width()) {
        case UINT16 -> tokenWriter.putShort((short) id);
        case INT32 -> tokenWriter.putInt(id);
      }
    }
    if (files.lossMask()) {
      writeMask(document.lossMask(), ids.length);
    }
    tokens += ids.length;
    documents++;
  }

  private void writeMask(@Nullable BitSet mask, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      int bit = (int) ((tokens + i) & 7);
      if (mask == null || mask.get(i)) {
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
