package dev.duoka.data.shard;

import dev.duoka.base.Sha256;
import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.SkipReason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** The shards of one folder of the cache, mapped into memory. */
final class MappedShards extends TokenShards {
  private final ShardIndex index;
  private final MappedSegments tokens;
  private final MappedSegments documents;
  private final @Nullable MappedSegments mask;
  private final BadDataReport badData;

  private MappedShards(
      ShardIndex index,
      MappedSegments tokens,
      MappedSegments documents,
      @Nullable MappedSegments mask,
      BadDataReport badData) {
    this.index = index;
    this.tokens = tokens;
    this.documents = documents;
    this.mask = mask;
    this.badData = badData;
  }

  /** Reads the index and maps the files, after checking each one's size and checksum. */
  static MappedShards open(Path folder, String key) throws IOException, DamagedShardException {
    Path indexFile = folder.resolve(ShardIndex.FILE_NAME);
    if (!Files.isRegularFile(indexFile)) {
      throw new DamagedShardException("index.json is missing");
    }
    ShardIndex index = ShardIndexJson.read(Files.readAllBytes(indexFile));
    if (!index.key().equals(key)) {
      throw new DamagedShardException("index.json belongs to other data");
    }
    if (tooManyFiles(index)) {
      throw new DamagedShardException("index.json names more tokens than its files hold");
    }
    Map<String, Long> sizes = index.files().sizes(index.tokens(), index.documents());
    if (!sizes.keySet().equals(index.checksums().keySet())) {
      throw new DamagedShardException("index.json does not name the files of its tokens");
    }
    List<String> damaged =
        sizes.entrySet().parallelStream()
            .map(entry -> damage(folder, entry.getKey(), entry.getValue(), index))
            .flatMap(Optional::stream)
            .toList();
    if (!damaged.isEmpty()) {
      throw new DamagedShardException(String.join("; ", damaged));
    }
    long segmentBytes = index.files().segmentBytes();
    return new MappedShards(
        index,
        MappedSegments.map(folder, ShardFiles.TOKENS, segmentBytes, sizes),
        MappedSegments.map(folder, ShardFiles.DOCUMENTS, segmentBytes, sizes),
        index.files().lossMask()
            ? MappedSegments.map(folder, ShardFiles.MASK, segmentBytes, sizes)
            : null,
        BadDataJson.read(folder.resolve(BadDataJson.FILE_NAME)));
  }

  @Override
  public String key() {
    return index.key();
  }

  @Override
  public String contentName() {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(index.checksums())
        .forEach((file, checksum) -> text.append(file).append(' ').append(checksum).append('\n'));
    text.append(index.tokens()).append(' ').append(index.documents());
    byte[] hash = Sha256.of(text.toString().getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(hash, 0, 16);
  }

  @Override
  public long tokens() {
    return index.tokens();
  }

  @Override
  public long documents() {
    return index.documents();
  }

  @Override
  public int vocabularySize() {
    return index.vocabularySize();
  }

  @Override
  public boolean hasLossMask() {
    return mask != null;
  }

  @Override
  public Map<SkipReason, Long> skipped() {
    return index.skipped();
  }

  @Override
  public BadDataReport badData() {
    return badData;
  }

  @Override
  public long documentStart(long document) {
    return Objects.checkIndex(document, index.documents() + 1) == index.documents()
        ? index.tokens()
        : documents.longAt(document * ShardFiles.DOCUMENT_BYTES);
  }

  @Override
  public long documentHash(long document) {
    Objects.checkIndex(document, index.documents());
    return documents.longAt(document * ShardFiles.DOCUMENT_BYTES + Long.BYTES);
  }

  @Override
  public void copyTokens(long from, int[] into, int at, int count) {
    Objects.checkFromIndexSize(from, count, index.tokens());
    switch (index.files().width()) {
      case UINT16 -> tokens.copyUnsignedShorts(from, into, at, count);
      case INT32 -> tokens.copyInts(from, into, at, count);
    }
  }

  @Override
  public void copyLossMask(long from, boolean[] into, int at, int count) {
    Objects.checkFromIndexSize(from, count, index.tokens());
    if (mask == null) {
      Arrays.fill(into, at, at + count, true);
      return;
    }
    for (int i = 0; i < count; i++) {
      long token = from + i;
      into[at + i] = (mask.byteAt(token >>> 3) >> (token & 7) & 1) != 0;
    }
  }

  /** A damaged index must not make a map of millions of file names. */
  private static boolean tooManyFiles(ShardIndex index) {
    long segment = index.files().segmentBytes();
    long bytes = index.tokens() * index.files().width().bytes();
    long documentBytes = index.documents() * ShardFiles.DOCUMENT_BYTES;
    return bytes / segment + documentBytes / segment > index.checksums().size();
  }

  private static Optional<String> damage(Path folder, String name, long size, ShardIndex index) {
    Path file = folder.resolve(name);
    try {
      if (!Files.isRegularFile(file)) {
        return Optional.of(name + " is missing");
      }
      long found = Files.size(file);
      if (found != size) {
        return Optional.of("%s has %d bytes instead of %d".formatted(name, found, size));
      }
      CRC32C crc = new CRC32C();
      crc.update(MappedSegments.map(file));
      boolean same = Objects.equals(index.checksums().get(name), (int) crc.getValue());
      return same ? Optional.empty() : Optional.of(name + " does not match its checksum");
    } catch (IOException e) {
      throw StorageErrors.of("cannot read", file, e);
    }
  }
}
