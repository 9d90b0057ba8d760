package dev.duoka.train.loop;

import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.train.config.DataSettings;

/** How the chats of a run become sequences, and what is worth a notice about it. */
final class ChatSequences {
  private ChatSequences() {}

  /** The template that the run file names, or the tokenizer's own. */
  static ChatTemplate template(DataSettings settings) {
    return settings
        .chatTemplate()
        .map(ChatTemplate::of)
        .orElseGet(() -> ChatTemplate.ofTokenizer(settings.tokenizer()));
  }

  static DocumentSequences of(
      DataSettings settings, DocumentSubset subset, int pad, TokenisationListener listener) {
    DocumentSequences.Packing packing =
        settings.packChats()
            ? DocumentSequences.Packing.BEST_FIT
            : DocumentSequences.Packing.ONE_EACH;
    DocumentSequences chats = DocumentSequences.of(subset, settings.sequenceLength(), pad, packing);
    String part =
        switch (subset.part()) {
          case TRAIN -> "training";
          case VALIDATION -> "validation";
        };
    if (chats.cutDocuments() > 0) {
      listener.notice(
          ("%d %s chats are longer than data.sequence_length %d and lose a part; most keep their"
                  + " last answer and what fits before it")
              .formatted(chats.cutDocuments(), part, settings.sequenceLength()));
    }
    if (chats.documentsWithoutTargets() > 0) {
      listener.notice(
          "%d %s chats are left out: they have no token to learn"
              .formatted(chats.documentsWithoutTargets(), part));
    }
    return chats;
  }
}
