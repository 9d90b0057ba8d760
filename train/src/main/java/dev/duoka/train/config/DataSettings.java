package dev.duoka.train.config;

import dev.duoka.base.CacheFolder;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.UserPath;
import dev.duoka.data.chat.LossOn;
import dev.duoka.train.config.binding.Doc;
import java.nio.charset.Charset;
import java.nio.charset.IllegalCharsetNameException;
import java.nio.charset.UnsupportedCharsetException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
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
                    + " tar, xz, bzip2 and addresses are refused.")
        List<String> sources,
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
                    + " run as transformers runs it, without access to anything outside it.",
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
            byDefault = "0.01",
            range = "[0, 0.5]")
        double validationFraction,
    @Doc(value = "Seed of the shuffle and of the split.", whenAbsent = "`training.seed`")
        OptionalLong seed,
    @Doc(
            value = "Folder of the tokenised corpus, keyed by content and shared between runs.",
            whenAbsent = "`$XDG_CACHE_HOME/duoka/data`, else `~/.cache/duoka/data`")
        Optional<Path> cache,
    @Doc(value = "What happens to a document that is not valid UTF-8.", byDefault = "fail")
        OnBadText onBadText,
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
    CHAT
  }

  /** What happens to a document that is not valid UTF-8. */
  public enum OnBadText {
    /** The run stops and names the document. */
    FAIL,
    /** The document is left out and counted. */
    SKIP
  }

  public DataSettings {
    sources = sources.stream().map(UserPath::expand).toList();
    leaveOut = List.copyOf(leaveOut);
    tokenizer = UserPath.expand(tokenizer);
    chatTemplate = chatTemplate.map(UserPath::expand);
  }

  /**
   * The encoding of the sources.
   *
   * @throws DuokaException when Java knows none of that name
   */
  public Charset charset() {
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
