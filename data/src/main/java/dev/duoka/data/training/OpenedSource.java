package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSides;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.overlap.OverlapSource;
import dev.duoka.data.shard.TokenCache;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.source.Corpus;

/**
 * A source with its tokens.
 *
 * @param sides of its documents
 */
record OpenedSource(PlannedSource plan, TokenShards shards, DocumentSides sides) {
  /** Takes the tokens from the cache, or tokenises. */
  static OpenedSource open(PlannedSource plan, TokenCache cache, TokenisationListener listener) {
    TokenShards shards;
    try (Corpus corpus = Corpus.open(plan.files())) {
      shards = cache.open(corpus, plan.encoder(), listener);
    }
    shards.badData().lines().forEach(listener::notice);
    return new OpenedSource(plan, shards, plan.sides(shards));
  }

  /** For comparison with the others. */
  OverlapSource compared() {
    return new OverlapSource(
        plan.name(),
        plan.files(),
        shards,
        sides,
        plan.isTrained(),
        plan.isTrained() ? plan.split().toString() : "held out");
  }

  OpenedSource with(DocumentSides other) {
    return new OpenedSource(plan, shards, other);
  }

  DocumentSubset part(SplitPart part) {
    return DocumentSubset.of(shards, sides, part);
  }

  boolean holdsOut() {
    return !plan.isTrained() || plan.split().validationFraction() > 0;
  }
}
