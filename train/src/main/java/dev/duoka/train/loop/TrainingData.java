package dev.duoka.train.loop;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.batch.StreamSequences;
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
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.train.config.DataSettings;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The corpus of a run, tokenised and split. Shared by all ranks of the process.
 *
 * @param tokenizer turns text into tokens
 * @param training what is trained on
 * @param validation what is held out; null where nothing is
 * @param trainingTokens how many tokens one epoch has, padding included
 */
record TrainingData(
    Tokenizer tokenizer,
    SequenceSet training,
    @Nullable SequenceSet validation,
    long trainingTokens) {

  /** Tokenises what is not in the cache yet, and splits by document. */
  static TrainingData open(
      DataSettings settings, long seed, ModelConfig model, TokenisationListener listener) {
    Tokenizer tokenizer = Tokenizer.load(settings.tokenizer());
    if (tokenizer.vocabularySize() > model.vocabSize()) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the tokenizer "
              + tokenizer.describe()
              + " has ids up to "
              + (tokenizer.vocabularySize() - 1)
              + ", but the model's vocabulary has "
              + model.vocabSize()
              + " entries",
          "Set model.overrides: {vocab_size: "
              + tokenizer.vocabularySize()
              + "}, or use the model's own tokenizer");
    }
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
    return new TrainingData(tokenizer, sequences, validation, epochTokens(sequences, training));
  }

  /** Padding takes its part in {@code tokens_per_step}, and so does it in an epoch. */
  private static long epochTokens(SequenceSet sequences, DocumentSubset training) {
    return switch (sequences) {
      case StreamSequences _ -> training.tokens();
      case DocumentSequences chats -> Math.multiplyExact(chats.count(), chats.length());
    };
  }

  private static List<SourceSpec> sources(DataSettings settings) {
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

  private static int endToken(Tokenizer tokenizer) {
    if (tokenizer.eosId() == Tokenizer.NONE) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "the tokenizer " + tokenizer.describe() + " names no end-of-text token",
          "Put a tokenizer_config.json with eos_token beside tokenizer.json");
    }
    return tokenizer.eosId();
  }
}
