package dev.duoka.data.training;

import dev.duoka.data.batch.DocumentSequences;
import dev.duoka.data.batch.DocumentSplit;
import dev.duoka.data.batch.DocumentSubset;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.SplitPart;
import dev.duoka.data.batch.StreamSequences;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.shard.TokenCache;
import dev.duoka.data.shard.TokenShards;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.source.Corpus;
import dev.duoka.data.source.SourceSpec;
import dev.duoka.data.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The corpus of a run, tokenised and split. Shared by all ranks of the process.
 *
 * @param identity what a run cannot go on without, by name: hashes of tokenizer and tokens
 * @param tokenizer turns text into tokens
 * @param training what is trained on
 * @param validation what is held out; null where nothing is
 * @param trainingTokens how many tokens one epoch has, padding included
 * @param paddingTokens how many of them are padding, which nothing is learned from
 */
public record TrainingData(
    Map<String, String> identity,
    Tokenizer tokenizer,
    SequenceSet training,
    @Nullable SequenceSet validation,
    long trainingTokens,
    long paddingTokens) {
  /** The name in {@link #identity} under which the names of single files are; it may change. */
  public static final String FILE_NAMES = "file_names";

  private static final int PROMPT_TOKENS = 40;
  private static final int PROMPT_LENGTH = 40;

  /**
   * How documents are held out.
   *
   * @param fraction of the documents; 0 holds out none
   * @param seed of the choice
   */
  public record HeldOut(double fraction, long seed) {}

  /**
   * Tokenises what is not in the cache yet, and splits by document.
   *
   * @param cache the folder of the tokenised corpora
   */
  public static TrainingData open(
      List<SourceSpec> sources,
      TrainingForm form,
      HeldOut heldOut,
      Path cache,
      TokenisationListener listener) {
    TokenShards shards;
    try (Corpus corpus = Corpus.open(sources)) {
      shards = new TokenCache(cache).open(corpus, form.encoder(), listener);
    }
    DocumentSplit split = new DocumentSplit(heldOut.seed(), heldOut.fraction());
    DocumentSubset training = DocumentSubset.of(shards, split, SplitPart.TRAIN);
    SequenceSet validation = null;
    if (heldOut.fraction() > 0) {
      DocumentSubset held = DocumentSubset.of(shards, split, SplitPart.VALIDATION);
      if (form.suffices(held)) {
        validation = form.sequences(held, listener);
      } else {
        listener.notice(
            "the validation part has only "
                + held.tokens()
                + " tokens, less than one sequence: no validation loss. Raise"
                + " data.validation_fraction to have one.");
      }
    }
    SequenceSet sequences = form.sequences(training, listener);
    return new TrainingData(
        Map.of(
            "data.tokenizer",
            form.tokenizer().fingerprint(),
            "data.sources",
            shards.contentName(),
            FILE_NAMES,
            fileNames(sources)),
        form.tokenizer(),
        sequences,
        validation,
        epochTokens(sequences, training),
        paddingTokens(sequences));
  }

  /** By which names the documents of single files are known: a file may be renamed later. */
  private static String fileNames(List<SourceSpec> sources) {
    return sources.stream()
        .map(source -> source.fileName().orElse("*"))
        .collect(Collectors.joining("|"));
  }

  /**
   * The sources of a run that goes on, whose files may have got other names since.
   *
   * @param names what {@link #identity} of the run held under {@link #FILE_NAMES}
   */
  public static List<SourceSpec> formerly(List<SourceSpec> sources, String names) {
    String[] former = names.split("\\|", -1);
    if (former.length != sources.size()) {
      return sources;
    }
    return IntStream.range(0, former.length)
        .mapToObj(
            i ->
                sources.get(i).fileName().isPresent() && !former[i].equals("*")
                    ? sources.get(i).formerly(former[i])
                    : sources.get(i))
        .toList();
  }

  private static long paddingTokens(SequenceSet sequences) {
    return switch (sequences) {
      case StreamSequences _ -> 0;
      case DocumentSequences chats -> chats.paddingTokens();
    };
  }

  /** Padding takes its part in {@code tokens_per_step}, and so does it in an epoch. */
  private static long epochTokens(SequenceSet sequences, DocumentSubset training) {
    return switch (sequences) {
      case StreamSequences _ -> training.tokens();
      case DocumentSequences chats -> Math.multiplyExact(chats.count(), chats.length());
    };
  }

  /** The first words of the held-out text: a prompt that suits a model trained on this data. */
  public String prompt() {
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
}
