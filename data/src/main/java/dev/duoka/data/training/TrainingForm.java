package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.PairSequences;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.StreamSequences;
import dev.duoka.data.chat.ChatDocumentEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.pair.PairDocumentEncoder;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.TextDocumentEncoder;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.Optional;
import java.util.OptionalInt;

/** What documents are trained on as: text in one stream, chats, or pairs of answers. */
public sealed interface TrainingForm {
  /** Turns text into tokens. */
  Tokenizer tokenizer();

  /** Tokens in a sequence. */
  int length();

  /** From a document to its tokens. */
  DocumentEncoder encoder();

  /** Whether that part of the corpus makes one sequence at least. */
  boolean suffices(DocumentSubset part);

  /**
   * The sequences of a part of the corpus.
   *
   * @param listener hears of documents that are cut or left out
   */
  SequenceSet sequences(DocumentSubset part, TokenisationListener listener);

  /**
   * Documents one after the other, cut wherever a sequence ends.
   *
   * @param apart whether documents of a sequence do not see each other
   */
  record Text(Tokenizer tokenizer, int length, boolean apart) implements TrainingForm {
    @Override
    public DocumentEncoder encoder() {
      return new TextDocumentEncoder(
          tokenizer::encode,
          tokenizer.fingerprint(),
          tokenizer.vocabularySize(),
          tokenizer.bosId() == Tokenizer.NONE
              ? OptionalInt.empty()
              : OptionalInt.of(tokenizer.bosId()),
          tokenizer.requireEosId());
    }

    @Override
    public boolean suffices(DocumentSubset part) {
      return part.tokens() > length;
    }

    @Override
    public SequenceSet sequences(DocumentSubset part, TokenisationListener listener) {
      return StreamSequences.of(part, length, apart);
    }
  }

  /**
   * Chats, of which only what the assistant says is trained on.
   *
   * @param form which of its turns are learned
   * @param packed whether several short ones share a sequence
   * @param apart whether those do not see each other
   */
  record Chats(
      Tokenizer tokenizer,
      ChatTemplate template,
      ChatForm form,
      boolean packed,
      boolean apart,
      int length)
      implements TrainingForm {
    @Override
    public DocumentEncoder encoder() {
      return new ChatDocumentEncoder(template, tokenizer, form);
    }

    @Override
    public boolean suffices(DocumentSubset part) {
      return part.documents() > 0;
    }

    @Override
    public SequenceSet sequences(DocumentSubset part, TokenisationListener listener) {
      DocumentSequences.Packing packing =
          packed ? DocumentSequences.Packing.BEST_FIT : DocumentSequences.Packing.ONE_EACH;
      return ChatSequences.of(part, packing, apart, length, padding(tokenizer), listener);
    }
  }

  /** Pairs of answers, of which the first is preferred; each answer in a sequence. */
  record Pairs(
      Tokenizer tokenizer, ChatTemplate template, Optional<String> systemPrompt, int length)
      implements TrainingForm {
    @Override
    public PairDocumentEncoder encoder() {
      return new PairDocumentEncoder(template, tokenizer, systemPrompt);
    }

    @Override
    public boolean suffices(DocumentSubset part) {
      return part.documents() > 0;
    }

    @Override
    public SequenceSet sequences(DocumentSubset part, TokenisationListener listener) {
      PairSequences pairs = PairSequences.of(part, length, padding(tokenizer));
      if (pairs.pairsTooLong() > 0) {
        listener.notice(
            "%d pairs are left out: an answer does not fit into data.sequence_length %d"
                .formatted(pairs.pairsTooLong(), length));
      }
      if (pairs.cutDocuments() > 0) {
        listener.notice(
            "%d pairs are longer than data.sequence_length %d: both sides lose the beginning of the"
                    .formatted(pairs.cutDocuments(), length)
                + " question");
      }
      return pairs;
    }
  }

  private static int padding(Tokenizer tokenizer) {
    return tokenizer.padId() == Tokenizer.NONE ? tokenizer.requireEosId() : tokenizer.padId();
  }
}
