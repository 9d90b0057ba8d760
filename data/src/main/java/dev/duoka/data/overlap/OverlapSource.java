package dev.duoka.data.overlap;

import dev.duoka.data.batch.DocumentSides;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.source.SourceSpec;
import java.util.List;

/**
 * A source whose documents are compared.
 *
 * @param name of the source
 * @param files where its documents are, to name them
 * @param shards their tokens
 * @param sides where the split puts each by itself
 * @param trained whether it is trained on; the documents of others are held out, whatever they are
 *     copies of
 * @param split says in words what {@code sides} goes by: equal texts, equal sides
 */
public record OverlapSource(
    String name,
    List<SourceSpec> files,
    TokenShards shards,
    DocumentSides sides,
    boolean trained,
    String split) {
  public OverlapSource {
    files = List.copyOf(files);
  }
}
