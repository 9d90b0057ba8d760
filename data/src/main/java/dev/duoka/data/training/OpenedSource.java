package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSides;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.SplitPart;
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
    DocumentSides sides =
        switch (plan.use()) {
          case SourceUse.Once _, SourceUse.Repeated _, SourceUse.Weighted _ ->
              document -> plan.split().partOf(shards.documentHash(document));
          case SourceUse.Validation _ -> _ -> SplitPart.VALIDATION;
        };
    return new OpenedSource(plan, shards, sides);
  }

  DocumentSubset part(SplitPart part) {
    return DocumentSubset.of(shards, sides, part);
  }

  boolean holdsOut() {
    return !plan.isTrained() || plan.split().validationFraction() > 0;
  }
}
