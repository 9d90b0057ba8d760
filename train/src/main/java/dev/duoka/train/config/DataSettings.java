package dev.duoka.train.config;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.UserPath;
import dev.duoka.data.chat.LossOn;
import dev.duoka.data.overlap.Duplicates;
import dev.duoka.train.config.binding.Doc;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Section {@code data}: the corpus and how it becomes sequences of token ids. */
public record DataSettings(
    @Doc(
            value =
                "Where the documents are: files, folders, globs, zip or jar archives, and `jdk:src`"
                    + " for the source code of the JDK itself. Relative paths start at the working"
                    + " directory, `~/` at your home. Of a folder whose files of records are named"
                    + " by splits, the one for training is taken, and a README or"
                    + " dataset_infos.json beside records is left out. Files may be .gz or .zst;"
                    + " tar, xz, bzip2 and addresses are refused. An element may be a section that"
                    + " gives its source a name, a weight or a format of its own.")
        List<SourceSettings> sources,
    @Doc(
            value =
                "Sources that are for validation alone, in the same form, without weight and"
                    + " epochs. All of their documents are held out.",
            byDefault = "[]")
        List<SourceSettings> validationSources,
    @Doc(
            value = "How the files are read; `auto` goes by the name of each file.",
            byDefault = "auto")
        Format format,
    @Doc(
            value = "Field (JSONL) or column (Parquet) that holds the text or the chat messages.",
            whenAbsent = "`text`, or `messages` for format `chat`")
        Optional<String> field,
    @Doc(
            value =
                "`bytes` for one token per UTF-8 byte, or a `tokenizer.json` file, or the folder"
                    + " that holds one.",
            byDefault = "bytes")
        String tokenizer,
    @Doc(
            value =
                "Chat template that joins the messages of format `chat`: `plain`, `deepseek-llm`,"
                    + " `deepseek-v2`, `deepseek-coder` or `deepseek-v3`, or a Jinja file, which is"
                    + " run as transformers runs it, without access to anything outside it. One"
                    + " that asks for the date is told 26 July 2024, so that tokens do not depend"
                    + " on the day.",
            whenAbsent =
                "`chat_template.jinja` or `tokenizer_config.json` beside the tokenizer; refused"
                    + " where there is none, as for `bytes`")
        Optional<String> chatTemplate,
    @Doc(
            value =
                "Which turns of format `chat` are learned: `assistant` every answer, `last` the"
                    + " last one, `marked` those with `\"train\": true` or `\"weight\": 1`; where a"
                    + " chat only marks answers with false or 0, the others. The token that ends"
                    + " such a turn is learned, too.",
            byDefault = "assistant")
        LossOn lossOn,
    @Doc(value = "System message of chats that have none.", whenAbsent = "chats are as they are")
        Optional<String> systemPrompt,
    @Doc(
            value =
                "Puts as many chats of format `chat` into a sequence as fit, instead of one chat"
                    + " and padding: faster. Unless `documents_apart` is set, a chat sees those"
                    + " before it in its sequence.",
            byDefault = "false")
        boolean packChats,
    @Doc(
            value =
                "Whether a token sees those of its own document or chat alone, and not what lies"
                    + " before it in the same sequence.",
            byDefault = "false")
        boolean documentsApart,
    @Doc(
            value =
                "Length of a training sequence. A chat that is longer keeps the stretch that ends"
                    + " with its last answer, or its beginning where that stretch would be nothing"
                    + " but answer. Text is cut wherever a sequence ends. No loss reaches across"
                    + " the beginning of a document; whether attention does, `documents_apart`"
                    + " says.",
            unit = "tokens",
            byDefault = "1024",
            range = "[2, 1048576]")
        int sequenceLength,
    @Doc(
            value = "Part of the documents that is held out for validation; 0 holds out none.",
            whenAbsent = "0.01, or 0 where there are `validation_sources`",
            range = "[0, 0.5]")
        OptionalDouble validationFraction,
    @Doc(value = "Seed of the shuffle and of the split.", whenAbsent = "`training.seed`")
        OptionalLong seed,
    @Doc(
            value = "Folder of the tokenised corpus, keyed by content and shared between runs.",
            whenAbsent = "`$XDG_CACHE_HOME/duoka/data`, else `~/.cache/duoka/data`")
        Optional<Path> cache,
    @Doc(
            value =
                "What happens to a record that cannot be read or is not fit to be trained on: all"
                    + " of the data is looked at, then `refuse` ends the run with one report,"
                    + " `skip` leaves such records out, and `cut` keeps the beginning of a chat up"
                    + " to its last answer before the fault.",
            whenAbsent = "`refuse`, or what `on_bad_text` says")
        Optional<OnBadRecord> onBadRecord,
    @Doc(
            value = "The older name of `on_bad_record`: `fail` is its `refuse`.",
            whenAbsent = "`on_bad_record` says it")
        Optional<OnBadText> onBadText,
    @Doc(
            value =
                "What becomes of a document that is the same, token for token, as one before it, in"
                    + " any source: `keep` puts it on the side of the split where the first one is,"
                    + " `drop` leaves it out, `refuse` ends the run and names the first ten.",
            byDefault = "keep")
        Duplicates duplicates,
    @Doc(
            value =
                "Whether what is trained on is searched for what is held out when a split is first"
                    + " used, which takes about as long as reading all text.",
            byDefault = "true")
        boolean findLeaks,
    @Doc(
            value =
                "Length up to which a turn of a chat is fit to be trained on, in UTF-8. Text has no"
                    + " such limit.",
            unit = "bytes",
            byDefault = "8388608",
            range = "[16, 1073741824]")
        int longestTurn,
    @Doc(
            value =
                "Encoding of text, JSON and JSONL, in all sources: `utf-8`, `gb18030`, `gbk`,"
                    + " `big5`, `utf-16` (by its byte order mark), or another name that Java"
                    + " knows.",
            byDefault = "utf-8")
        String encoding,
    @Doc(
            value =
                "Batches that are left out: `100:40` goes on after step 100 with the batch that"
                    + " would have come 40 steps later. What a run that has diverged passes over;"
                    + " the schedule counts steps as before.",
            byDefault = "[]")
        List<String> leaveOut) {

  /** How the files of the corpus are read. */
  public enum Format {
    /** By the name of each file. */
    AUTO,
    /** One document per file. */
    TEXT,
    /** One JSON object per line. */
    JSONL,
    /** One document per row. */
    PARQUET,
    /** JSONL or Parquet of chat messages; the loss is on the assistant's tokens only. */
    CHAT,
    /** JSONL or Parquet of questions with two answers, of which the first is preferred. */
    PAIRS
  }

  /** What happens to a record that cannot be read or is not fit to be trained on. */
  public enum OnBadRecord {
    /** The run ends with a report. */
    REFUSE,
    /** The record is left out and counted. */
    SKIP,
    /** The good beginning of a chat is kept; what has none is left out. */
    CUT
  }

  /** The older words for it. */
  public enum OnBadText {
    /** {@link OnBadRecord#REFUSE}. */
    FAIL,
    /** {@link OnBadRecord#SKIP}. */
    SKIP
  }

  private static final double DEFAULT_HELD_OUT = 0.01;

  public DataSettings {
    sources = List.copyOf(sources);
    validationSources = List.copyOf(validationSources);
    leaveOut = List.copyOf(leaveOut);
    tokenizer = UserPath.expand(tokenizer);
    chatTemplate = chatTemplate.map(UserPath::expand);
  }

  /** Part of the documents of a source that is held out, where it says nothing of its own. */
  public double heldOut() {
    return validationFraction.orElse(validationSources.isEmpty() ? DEFAULT_HELD_OUT : 0);
  }

  /** What happens to a bad record. */
  public OnBadRecord badRecords() {
    return onBadRecord.orElse(
        onBadText.filter(OnBadText.SKIP::equals).isPresent()
            ? OnBadRecord.SKIP
            : OnBadRecord.REFUSE);
  }

  /** All sources, those for validation alone last. */
  public List<SourceSettings> allSources() {
    return Stream.concat(sources.stream(), validationSources.stream()).toList();
  }

  /** Where all sources are. */
  public List<String> locations() {
    return allSources().stream().map(SourceSettings::path).toList();
  }

  /** How the files of a source are read. */
  public Format formatOf(SourceSettings source) {
    return source.format().orElse(format);
  }

  /** The chat template that a source names, or the run; empty for the tokenizer's own. */
  public Optional<String> templateOf(SourceSettings source) {
    return source.chatTemplate().or(() -> chatTemplate);
  }

  /**
   * The chat template that the model is asked by and that its checkpoints keep: that of the run,
   * else of the first source that names one; empty for the tokenizer's own.
   */
  public Optional<String> mainTemplate() {
    return chatTemplate.or(
        () ->
            sources.stream()
                .filter(this::usesTemplate)
                .flatMap(source -> source.chatTemplate().stream())
                .findFirst());
  }

  /** Whether a chat template joins what a source holds. */
  public boolean usesTemplate(SourceSettings source) {
    return formatOf(source) == Format.CHAT || formatOf(source) == Format.PAIRS;
  }

  /** Whether anything is held out, where there is enough of it. */
  public boolean holdsOut() {
    return heldOut() > 0
        || !validationSources.isEmpty()
        || sources.stream().anyMatch(source -> source.validationFraction().orElse(0) > 0);
  }

  /** Whether any source is one of chats. */
  public boolean hasChats() {
    return allSources().stream().anyMatch(source -> formatOf(source) == Format.CHAT);
  }

  /** Whether any source holds pairs of answers. */
  public boolean hasPairs() {
    return allSources().stream().anyMatch(source -> formatOf(source) == Format.PAIRS);
  }

  /** Whether any source holds messages, which a template joins. */
  public boolean usesTemplate() {
    return hasChats() || hasPairs();
  }

  /**
   * The encoding of the sources that say none.
   *
   * @throws DuokaException when Java knows none of that name
   */
  public Charset charset() {
    return charset(encoding);
  }

  /**
   * An encoding by its name.
   *
   * @throws DuokaException when Java knows none of that name
   */
  public static Charset charset(String encoding) {
    try {
      return Charset.forName(encoding);
    } catch (IllegalCharsetNameException | UnsupportedCharsetException e) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "data.encoding is '" + encoding + "', which is not known",
          "Use utf-8, gb18030, gbk, big5, utf-16, or another name that Java knows",
          e);
    }
  }

  /**
   * The folder of the tokenised corpus: {@link #cache}, or the user's cache folder.
   *
   * @param environment looks up an environment variable, {@code System::getenv} in a run
   */
  public Path cacheFolder(Function<String, @Nullable String> environment) {
    return cache.orElseGet(() -> CacheFolder.of("data", environment));
  }
}
