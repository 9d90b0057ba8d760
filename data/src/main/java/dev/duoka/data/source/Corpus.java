package dev.duoka.data.source;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Several sources read one after another, in the order of the run file.
 *
 * <pre>{@code
 * try (Corpus corpus = Corpus.open(List.of(SourceSpec.of("jdk:src")))) {
 *   TokenShards shards = cache.open(corpus, encoder, listener);
 * }
 * }</pre>
 */
public final class Corpus implements AutoCloseable {
  private final List<DataSource> sources;

  private Corpus(List<DataSource> sources) {
    this.sources = List.copyOf(sources);
  }

  /**
   * Finds the files of all sources; reads none of them.
   *
   * @throws DuokaException if a source does not exist or holds no files
   */
  public static Corpus open(List<SourceSpec> specs) {
    if (specs.isEmpty()) {
      throw new DuokaException(
          ErrorCode.CONFIG, "the data has no sources", "List at least one file or folder.");
    }
    List<DataSource> sources = new ArrayList<>();
    try {
      for (SourceSpec spec : specs) {
        sources.add(DataSource.open(spec));
      }
    } catch (DuokaException e) {
      sources.forEach(DataSource::close);
      throw e;
    }
    return new Corpus(sources);
  }

  /** The sources in order. */
  public List<DataSource> sources() {
    return sources;
  }

  /** Bytes of all sources. */
  public long bytes() {
    return sources.stream().mapToLong(DataSource::bytes).sum();
  }

  /** The fingerprints of all sources. */
  public String fingerprint() {
    return sources.stream().map(DataSource::fingerprint).collect(Collectors.joining("\n"));
  }

  /** The locations, for messages. */
  public String describe() {
    return sources.stream().map(s -> s.spec().location()).collect(Collectors.joining(", "));
  }

  /** Starts at the first document of the first source. */
  public DocumentReader reader() {
    return new ConcatenatedReader<>(sources, DataSource::reader);
  }

  /** How many documents have been left out so far, over all sources. */
  public Map<SkipReason, Long> skipped() {
    Map<SkipReason, Long> all = new TreeMap<>();
    for (DataSource source : sources) {
      source.skipped().forEach((reason, count) -> all.merge(reason, count, Long::sum));
    }
    return all;
  }

  /** What has been found wrong so far, over all sources. */
  public BadDataReport badData() {
    return BadDataReport.joined(sources.stream().map(DataSource::badData).toList());
  }

  @Override
  public void close() {
    sources.forEach(DataSource::close);
  }
}
