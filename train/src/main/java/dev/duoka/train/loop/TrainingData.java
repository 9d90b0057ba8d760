package dev.duoka.train.loop;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.batch.StreamSequences;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.shard.DocumentEncoder;
import dev.duoka.data.shard.TextDocumentEncoder;
import dev.duoka.data.shard.TokenCache;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.DocumentFormat;
import dev.duoka.data.source.RecordContent;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.train.config.DataSettings;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The corpus of a run, tokenised and split. Shared by all ranks of the process.
 *
 * @param identity what a run cannot go on without, by name: hashes of tokenizer and tokens
 * @param tokenizer turns text into tokens
 * @param training what is trained on
 * @param validation what is held out; null where nothing is
 * @param trainingTokens how many tokens one epoch has, padding included
 */
record TrainingData(
    Map<String, String> identity,
    Tokenizer tokenizer,
    SequenceSet training,
    @Nullable SequenceSet validation,
    long trainingTokens) {
  private static final int PROMPT_TOKENS = 40;
  private static final int PROMPT_LENGTH = 40;

  /** Tokenises what is not in the cache yet, and splits by document. */
  static TrainingData open(
      DataSettings settings, long seed, Tokenizer tokenizer, TokenisationListener listener) {
    TokenShards shards;
    try (Corpus corpus = Corpus.open(sources(settings))) {
      shards =
          new TokenCache(settings.cacheFolder(System::getenv))
              .open(corpus, encoder(settings, tokenizer), listener);
    }
    DocumentSplit split = new DocumentSplit(seed, settings.validationFraction());
    DocumentSubset training = DocumentSubset.of(shards, split, SplitPart.TRAIN);
    SequenceSet validation = null;
    if (settings.validationFraction() > 0) {
      DocumentSubset held = DocumentSubset.of(shards, split, SplitPart.VALIDATION);
      boolean chat = settings.format() == DataSettings.Format.CHAT;
      if (chat ? held.documents() > 0 : held.tokens() > settings.sequenceLength()) {
        validation = sequences(settings, tokenizer, held, listener);
      } else {
        listener.notice(
            "the validation part has only "
                + held.tokens()
                + " tokens, less than one sequence: no validation loss. Raise"
                + " data.validation_fraction to have one.");
      }
    }
    SequenceSet sequences = sequences(settings, tokenizer, training, listener);
    return new TrainingData(
        Map.of("data.tokenizer", tokenizer.fingerprint(), "data.sources", shards.contentName()),
        tokenizer,
        sequences,
        validation,
        epochTokens(sequences, training));
  }

  /** Padding takes its part in {@code tokens_per_step}, and so does it in an epoch. */
  private static long epochTokens(SequenceSet sequences, DocumentSubset training) {
    return switch (sequences) {
      case StreamSequences _ -> training.tokens();
      case DocumentSequences chats -> Math.multiplyExact(chats.count(), chats.length());
    };
  }

  /** The sources as the run file means them. */
  static List<SourceSpec> sources(DataSettings settings) {
    boolean chat = settings.format() == DataSettings.Format.CHAT;
    DocumentFormat format =
        switch (settings.format()) {
          case AUTO, CHAT -> DocumentFormat.AUTO;
          case TEXT -> DocumentFormat.TEXT;
          case JSONL -> DocumentFormat.JSONL;
          case PARQUET -> DocumentFormat.PARQUET;
        };
    RecordContent content =
        chat
            ? new RecordContent.WholeRecord()
            : new RecordContent.Field(settings.field().orElse(SourceSpec.DEFAULT_FIELD));
    BadDocuments bad =
        switch (settings.onBadText()) {
          case FAIL -> BadDocuments.REFUSE;
          case SKIP -> BadDocuments.SKIP;
        };
    return settings.sources().stream()
        .map(location -> new SourceSpec(location, format, content, bad))
        .toList();
  }

  private static DocumentEncoder encoder(DataSettings settings, Tokenizer tokenizer) {
    if (settings.format() == DataSettings.Format.CHAT) {
      return new ChatDocumentEncoder(ChatSequences.template(settings), tokenizer);
    }
    return new TextDocumentEncoder(
        tokenizer::encode,
        tokenizer.fingerprint(),
        tokenizer.vocabularySize(),
        tokenizer.bosId() == Tokenizer.NONE
            ? OptionalInt.empty()
            : OptionalInt.of(tokenizer.bosId()),
        endToken(tokenizer));
  }

  private static SequenceSet sequences(
      DataSettings settings,
      Tokenizer tokenizer,
      DocumentSubset subset,
      TokenisationListener listener) {
    if (settings.format() != DataSettings.Format.CHAT) {
      return StreamSequences.of(subset, settings.sequenceLength());
    }
    int pad = tokenizer.padId() == Tokenizer.NONE ? endToken(tokenizer) : tokenizer.padId();
    return ChatSequences.of(settings, subset, pad, listener);
  }

  /** The first words of the held-out text: a prompt that suits a model trained on this data. */
  String prompt() {
    SequenceSet text = validation == null ? training : validation;
    long[] tokens = new ValidationBatches(text, 1, 0, 1, 1).read(0).tokens();
    int[] ids =
        Arrays.stream(tokens)
            .limit(PROMPT_TOKENS)
            .mapToInt(Math::toIntExact)
            .filter(id -> !tokenizer.isSpecial(id))
            .toArray();
    String[] words =
        tokenizer.decode(ids).replaceAll("[^\\p{L}\\p{N} .,:;()-]+", " ").strip().split(" +");
    StringBuilder prompt = new StringBuilder();
    for (String word : words) {
      if (prompt.length() + word.length() >= PROMPT_LENGTH) {
        break;
      }
      prompt.append(prompt.isEmpty() ? "" : " ").append(word);
    }
    return prompt.toString();
  }

  /**
   * The token that ends a document.
   *
   * @throws DuokaException if the tokenizer has none
   */
  static int endToken(Tokenizer tokenizer) {
    if (tokenizer.eosId() == Tokenizer.NONE) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the tokenizer " + tokenizer.describe() + " names no end-of-text token",
          "Put a tokenizer_config.json with eos_token beside tokenizer.json");
    }
    return tokenizer.eosId();
  }
}
