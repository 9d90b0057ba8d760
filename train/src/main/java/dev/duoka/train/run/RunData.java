package dev.duoka.train.run;

import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.chat.ChatEncoder;
import dev.duoka.data.chat.ChatForm;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.source.BadDocuments;
import dev.duoka.data.source.DocumentFormat;
import dev.duoka.data.source.RecordContent;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.data.training.DataPlan;
import dev.duoka.data.training.PlannedSource;
import dev.duoka.data.training.SourceUse;
import dev.duoka.data.training.TrainingData;
import dev.duoka.data.training.TrainingForm;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.DataSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.SourceSettings;
import dev.duoka.train.evaluate.Evaluations;
import dev.duoka.train.generate.GenerationConfig;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The data of a run as its file means it. */
final class RunData {
  private RunData() {}

  /** Tokenises what is not in the cache yet, and splits by document. */
  static TrainingData open(RunConfig config, Tokenizer tokenizer, TokenisationListener listener) {
    return open(config, plan(config, tokenizer), listener);
  }

  /** As the other method, of a run that goes on in a folder: its files may have other names now. */
  static TrainingData reopen(
      RunConfig config, Path runDir, Tokenizer tokenizer, TokenisationListener listener) {
    DataPlan plan = plan(config, tokenizer);
    DataPlan known = RunCheckpoints.newestIdentity(runDir).map(plan::continuing).orElse(plan);
    return open(config, known, listener);
  }

  private static TrainingData open(RunConfig config, DataPlan plan, TokenisationListener listener) {
    return TrainingData.open(
        plan.findingLeaks(config.data().findLeaks()),
        config.data().cacheFolder(System::getenv),
        listener);
  }

  /** Of the shuffle and of the split. */
  static long seed(RunConfig config) {
    return config.data().seed().orElse(config.training().seed());
  }

  /**
   * Places alone are one source of all files, tokenised together; where an element says more, each
   * is a source of its own.
   */
  static DataPlan plan(RunConfig config, Tokenizer tokenizer) {
    DataSettings settings = config.data();
    Map<Form, TrainingForm> forms = new HashMap<>();
    Function<SourceSettings, TrainingForm> form =
        source ->
            forms.computeIfAbsent(
                new Form(settings.formatOf(source), settings.templateOf(source)),
                each -> form(settings, tokenizer, each));
    if (settings.validationSources().isEmpty()
        && settings.sources().stream().allMatch(SourceSettings::isPathAlone)) {
      return DataPlan.of(
          settings.sources().stream().map(source -> source(settings, source)).toList(),
          form.apply(settings.sources().getFirst()),
          new DocumentSplit(seed(config), settings.heldOut()),
          settings.longestTurn(),
          settings.duplicates());
    }
    return new DataPlan(
        settings.allSources().stream()
            .map(
                source ->
                    new PlannedSource(
                        source.shownName(),
                        List.of(source(settings, source)),
                        form.apply(source),
                        use(settings, source),
                        new DocumentSplit(
                            seed(config), source.validationFraction().orElse(settings.heldOut())),
                        settings.longestTurn()))
            .toList(),
        settings.duplicates(),
        false,
        true,
        true);
  }

  private static SourceUse use(DataSettings settings, SourceSettings source) {
    if (!settings.sources().contains(source)) {
      return new SourceUse.Validation();
    }
    if (source.weight().isPresent()) {
      return new SourceUse.Weighted(BigDecimal.valueOf(source.weight().getAsDouble()));
    }
    return source.epochs().isPresent() && source.epochs().getAsDouble() != 1
        ? new SourceUse.Repeated(BigDecimal.valueOf(source.epochs().getAsDouble()))
        : new SourceUse.Once();
  }

  /** What sources have to have in common to be trained on as the same. */
  private record Form(DataSettings.Format format, Optional<String> template) {}

  private static TrainingForm form(DataSettings settings, Tokenizer tokenizer, Form form) {
    int length = settings.sequenceLength();
    return switch (form.format()) {
      case AUTO, TEXT, JSONL, PARQUET ->
          new TrainingForm.Text(tokenizer, length, settings.documentsApart());
      case CHAT ->
          new TrainingForm.Chats(
              tokenizer,
              template(settings, form.template()),
              new ChatForm(settings.lossOn(), settings.systemPrompt()),
              settings.packChats(),
              settings.documentsApart(),
              length);
      case PAIRS ->
          new TrainingForm.Pairs(
              tokenizer, template(settings, form.template()), settings.systemPrompt(), length);
    };
  }

  /** What the run asks its model at each validation. */
  static Evaluations evaluations(RunConfig config, TrainingData data) {
    DataSettings settings = config.data();
    Optional<ChatTemplate> template =
        settings.usesTemplate() ? Optional.of(template(settings)) : Optional.empty();
    return Evaluations.of(
        config,
        data.tokenizer(),
        template,
        data.validation(),
        KeptEnds.all(config, data.tokenizer(), template));
  }

  /**
   * As the other method.
   *
   * @param named by name or file; empty for the tokenizer's own
   * @param tokenizer that the template is checked with; null for one that cannot be read
   */
  static ChatTemplate template(
      DataSettings settings, Optional<String> named, @Nullable Tokenizer tokenizer) {
    ChatTemplate template = template(settings, named);
    if (tokenizer != null) {
      new ChatEncoder(template, tokenizer).requireEndOfTurn();
    }
    return template;
  }

  /** The template of the run: the one that the run file names, or the tokenizer's own. */
  static ChatTemplate template(DataSettings settings) {
    return template(settings, settings.mainTemplate());
  }

  private static ChatTemplate template(DataSettings settings, Optional<String> named) {
    return named
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
            .mainTemplate()
            .filter(_ -> settings.usesTemplate())
            .map(named -> own.withChatTemplate(ChatTemplate.of(named).jinja()))
            .orElse(own);
    return KeptEnds.of(
            config,
            tokenizer,
            settings.usesTemplate() ? Optional.of(template(settings)) : Optional.empty())
        .map(ends -> files.with(GenerationConfig.FILE_NAME, ends.encode()))
        .orElse(files);
  }

  /** Where a source is and how it is read. */
  static SourceSpec source(DataSettings settings, SourceSettings source) {
    DocumentFormat format =
        switch (settings.formatOf(source)) {
          case AUTO, CHAT, PAIRS -> DocumentFormat.AUTO;
          case TEXT -> DocumentFormat.TEXT;
          case JSONL -> DocumentFormat.JSONL;
          case PARQUET -> DocumentFormat.PARQUET;
        };
    boolean sameFormat = settings.formatOf(source) == settings.format();
    RecordContent content =
        isWhole(settings.formatOf(source))
            ? new RecordContent.WholeRecord()
            : new RecordContent.Field(
                source
                    .field()
                    .or(() -> sameFormat ? settings.field() : Optional.empty())
                    .orElse(SourceSpec.DEFAULT_FIELD));
    BadDocuments bad =
        switch (settings.badRecords()) {
          case REFUSE -> BadDocuments.REFUSE;
          case SKIP -> BadDocuments.SKIP;
          case CUT -> BadDocuments.CUT;
        };
    return new SourceSpec(
        source.path(),
        format,
        content,
        bad,
        source.encoding().map(DataSettings::charset).orElseGet(settings::charset),
        Optional.empty());
  }

  private static boolean isWhole(DataSettings.Format format) {
    return format == DataSettings.Format.CHAT || format == DataSettings.Format.PAIRS;
  }
}
