package dev.duoka.train.run;

import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.DocumentFormat;
import dev.duoka.data.source.RecordContent;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.data.training.TrainingData;
import dev.duoka.data.training.TrainingForm;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.DataSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.generate.GenerationConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The data of a run as its file means it. */
final class RunData {
  private RunData() {}

  /** Tokenises what is not in the cache yet, and splits by document. */
  static TrainingData open(RunConfig config, Tokenizer tokenizer, TokenisationListener listener) {
    return open(config, sources(config.data()), tokenizer, listener);
  }

  /** As the other method, of a run that goes on in a folder: its files may have other names now. */
  static TrainingData reopen(
      RunConfig config, Path runDir, Tokenizer tokenizer, TokenisationListener listener) {
    List<SourceSpec> sources = sources(config.data());
    List<SourceSpec> known =
        RunCheckpoints.newestIdentity(runDir)
            .map(identity -> identity.get(TrainingData.FILE_NAMES))
            .map(names -> TrainingData.formerly(sources, names))
            .orElse(sources);
    return open(config, known, tokenizer, listener);
  }

  private static TrainingData open(
      RunConfig config,
      List<SourceSpec> sources,
      Tokenizer tokenizer,
      TokenisationListener listener) {
    DataSettings settings = config.data();
    return TrainingData.open(
        sources,
        form(settings, tokenizer),
        new TrainingData.HeldOut(settings.validationFraction(), seed(config)),
        settings.cacheFolder(System::getenv),
        listener);
  }

  /** Of the shuffle and of the split. */
  static long seed(RunConfig config) {
    return config.data().seed().orElse(config.training().seed());
  }

  private static TrainingForm form(DataSettings settings, Tokenizer tokenizer) {
    return isChat(settings)
        ? new TrainingForm.Chats(
            tokenizer,
            template(settings),
            new ChatForm(settings.lossOn(), settings.systemPrompt()),
            settings.packChats(),
            settings.documentsApart(),
            settings.sequenceLength())
        : new TrainingForm.Text(tokenizer, settings.sequenceLength(), settings.documentsApart());
  }

  /**
   * As the other method.
   *
   * @param tokenizer that the template is checked with; null for one that cannot be read
   */
  static ChatTemplate template(DataSettings settings, @Nullable Tokenizer tokenizer) {
    ChatTemplate template = template(settings);
    if (tokenizer != null) {
      new ChatEncoder(template, tokenizer).requireEndOfTurn();
    }
    return template;
  }

  /** The template that the run file names, or the tokenizer's own. */
  static ChatTemplate template(DataSettings settings) {
    return settings
        .chatTemplate()
        .map(ChatTemplate::of)
        .orElseGet(() -> ChatTemplate.ofTokenizer(settings.tokenizer()));
  }

  /**
   * What a checkpoint keeps of the tokenizer: its files, for chats the template that the run file
   * names in place of the tokenizer's own, and at which tokens the model's texts end where a file
   * says more of it than the tokenizer.
   */
  static TokenizerFiles tokenizerFiles(RunConfig config, Tokenizer tokenizer) {
    DataSettings settings = config.data();
    TokenizerFiles own = TokenizerFiles.of(settings.tokenizer());
    TokenizerFiles files =
        settings
            .chatTemplate()
            .filter(_ -> isChat(settings))
            .map(named -> own.withChatTemplate(ChatTemplate.of(named).jinja()))
            .orElse(own);
    return KeptEnds.of(
            config,
            tokenizer,
            isChat(settings) ? Optional.of(template(settings)) : Optional.empty())
        .map(ends -> files.with(GenerationConfig.FILE_NAME, ends.encode()))
        .orElse(files);
  }

  /** The sources. */
  static List<SourceSpec> sources(DataSettings settings) {
    DocumentFormat format =
        switch (settings.format()) {
          case AUTO, CHAT -> DocumentFormat.AUTO;
          case TEXT -> DocumentFormat.TEXT;
          case JSONL -> DocumentFormat.JSONL;
          case PARQUET -> DocumentFormat.PARQUET;
        };
    RecordContent content =
        isChat(settings)
            ? new RecordContent.WholeRecord()
            : new RecordContent.Field(settings.field().orElse(SourceSpec.DEFAULT_FIELD));
    BadDocuments bad =
        switch (settings.onBadText()) {
          case FAIL -> BadDocuments.REFUSE;
          case SKIP -> BadDocuments.SKIP;
        };
    return settings.sources().stream()
        .map(
            location ->
                new SourceSpec(
                    location, format, content, bad, settings.charset(), Optional.empty()))
        .toList();
  }

  private static boolean isChat(DataSettings settings) {
    return settings.format() == DataSettings.Format.CHAT;
  }
}
