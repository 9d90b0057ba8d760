package dev.duoka.data.shard;

import dev.duoka.base.Sha256;
import dev.duoka.data.source.BadDataReport;
import dev.duoka.data.source.SkipReason;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The documents of several shards one after another. */
final class JoinedShards extends TokenShards {
  private static final int NAME_BYTES = 16;

  private final List<TokenShards> parts;

  /** The first document of each part, and then the number of all. */
  private final long[] firstDocument;

  /** The first token of each part, and then the number of all. */
  private final long[] firstToken;

  JoinedShards(List<TokenShards> parts) {
    this.parts = List.copyOf(parts);
    this.firstDocument = new long[parts.size() + 1];
    this.firstToken = new long[parts.size() + 1];
    for (int i = 0; i < parts.size(); i++) {
      firstDocument[i + 1] = firstDocument[i] + parts.get(i).documents();
      firstToken[i + 1] = firstToken[i] + parts.get(i).tokens();
    }
  }

  @Override
  public String key() {
    return name(TokenShards::key);
  }

  @Override
  public String contentName() {
    return name(TokenShards::contentName);
  }

  private String name(Function<TokenShards, String> ofPart) {
    String all = parts.stream().map(ofPart).collect(Collectors.joining("\n"));
    return HexFormat.of().formatHex(Sha256.of(all.getBytes(StandardCharsets.UTF_8)), 0, NAME_BYTES);
  }

  @Override
  public long tokens() {
    return firstToken[parts.size()];
  }

  @Override
  public long documents() {
    return firstDocument[parts.size()];
  }

  @Override
  public int vocabularySize() {
    return parts.stream().mapToInt(TokenShards::vocabularySize).max().orElseThrow();
  }

  @Override
  public boolean hasLossMask() {
    return parts.stream().anyMatch(TokenShards::hasLossMask);
  }

  @Override
  public Map<SkipReason, Long> skipped() {
    Map<SkipReason, Long> all = new TreeMap<>();
    parts.forEach(part -> part.skipped().forEach((key, count) -> all.merge(key, count, Long::sum)));
    return all;
  }

  @Override
  public BadDataReport badData() {
    return BadDataReport.joined(parts.stream().map(TokenShards::badData).toList());
  }

  @Override
  public long documentStart(long document) {
    if (Objects.checkIndex(document, documents() + 1) == documents()) {
      return tokens();
    }
    int part = holder(firstDocument, document);
    return firstToken[part] + parts.get(part).documentStart(document - firstDocument[part]);
  }

  @Override
  public long documentHash(long document) {
    int part = holder(firstDocument, Objects.checkIndex(document, documents()));
    return parts.get(part).documentHash(document - firstDocument[part]);
  }

  @Override
  public void copyTokens(long from, int[] into, int at, int count) {
    copy(
        from,
        at,
        count,
        (part, start, index, length) -> part.copyTokens(start, into, index, length));
  }

  @Override
  public void copyLossMask(long from, boolean[] into, int at, int count) {
    copy(
        from,
        at,
        count,
        (part, start, index, length) -> part.copyLossMask(start, into, index, length));
  }

  @FunctionalInterface
  private interface Copy {
    void of(TokenShards part, long from, int at, int count);
  }

  private void copy(long from, int at, int count, Copy copy) {
    Objects.checkFromIndexSize(from, count, tokens());
    int done = 0;
    while (done < count) {
      int part = holder(firstToken, from + done);
      long start = from + done - firstToken[part];
      int here = (int) Math.min(count - done, parts.get(part).tokens() - start);
      copy.of(parts.get(part), start, at + done, here);
      done += here;
    }
  }

  /** The part that holds a number; none is empty. */
  private static int holder(long[] firsts, long number) {
    int found = Arrays.binarySearch(firsts, number);
    return found >= 0 ? found : -found - 2;
  }
}
