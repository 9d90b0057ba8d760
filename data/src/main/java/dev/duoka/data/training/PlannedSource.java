package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSides;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.source.SourceSpec;
import java.util.List;

/**
 * One source of a run: files that are tokenised together and reported under one name.
 *
 * @param name in reports and metrics
 * @param files where its documents are
 * @param form what they are trained on as
 * @param use what it is for
 * @param split which of its documents are held out; without meaning where all are
 * @param longestTurn of a chat, in bytes of UTF-8; without meaning for text
 */
public record PlannedSource(
    String name,
    List<SourceSpec> files,
    TrainingForm form,
    SourceUse use,
    DocumentSplit split,
    int longestTurn) {
  public PlannedSource {
    files = List.copyOf(files);
  }

  /** From a document to its tokens; chats and pairs are looked at for what is wrong with them. */
  public DocumentEncoder encoder() {
    return switch (form) {
      case TrainingForm.Text text -> text.encoder();
      case TrainingForm.Pairs pairs ->
          new CheckedPairs(pairs.encoder(), files.getFirst().badDocuments(), longestTurn);
      case TrainingForm.Chats chats ->
          new CheckedChats(chats.encoder(), files.getFirst().badDocuments(), longestTurn);
    };
  }

  /** On which side of the split each of its documents is by itself. */
  DocumentSides sides(TokenShards shards) {
    return isTrained()
        ? document -> split.partOf(shards.documentHash(document))
        : _ -> SplitPart.VALIDATION;
  }

  /** Whether it is trained on. */
  boolean isTrained() {
    return switch (use) {
      case SourceUse.Once _, SourceUse.Repeated _, SourceUse.Weighted _ -> true;
      case SourceUse.Validation _ -> false;
    };
  }

  /** Whether an epoch of both is one epoch of all of their documents together. */
  boolean joins(PlannedSource other) {
    return use instanceof SourceUse.Once
        && use.equals(other.use)
        && form.equals(other.form)
        && split.equals(other.split);
  }
}
