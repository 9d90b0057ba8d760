package dev.duoka.data.training;

import dev.duoka.data.batch.PairSequences;
import dev.duoka.data.batch.SequenceMixture;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.shard.TokenisationListener;
import dev.duoka.data.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The corpus of a run, tokenised and split. Shared by all ranks of the process.
 *
 * @param identity what a run cannot go on without, by name: hashes of tokenizer and tokens, with
 *     the shares of a mixture
 * @param tokenizer turns text into tokens
 * @param training what is trained on
 * @param validation what is held out, of all sources together; null where nothing is
 * @param validationBySource what is held out of each source that has enough, in the order of the
 *     run file, those for validation alone last; empty where the run file names no single sources
 * @param trainingTokens how many tokens one epoch has, padding included
 * @param paddingTokens how many of them are padding, which nothing is learned from
 * @param report what is known of each source
 */
public record TrainingData(
    Map<String, String> identity,
    Tokenizer tokenizer,
    SequenceMixture training,
    @Nullable SequenceSet validation,
    List<NamedSequences> validationBySource,
    long trainingTokens,
    long paddingTokens,
    DataReport report) {
  /** The name in {@link #identity} under which the names of single files are; it may change. */
  public static final String FILE_NAMES = "file_names";

  /** The name in {@link #identity} of what is for validation alone; it may change. */
  public static final String VALIDATION_SOURCES = "data.validation_sources";

  /** The name in {@link #identity} of what becomes of copies. */
  public static final String DUPLICATES = "data.duplicates";

  private static final int PROMPT_TOKENS = 40;
  private static final int PROMPT_LENGTH = 40;

  public TrainingData {
    validationBySource = List.copyOf(validationBySource);
  }

  /**
   * Tokenises what is not in the cache yet, each source by itself, and splits by document.
   *
   * @param cache the folder of the tokenised corpora
   */
  public static TrainingData open(DataPlan plan, Path cache, TokenisationListener listener) {
    return DataAssembly.of(plan, cache, listener);
  }

  /**
   * All sets of pairs, to train on and held out, by names that stay; empty for other data. What is
   * a part of one of them is not among them.
   */
  public Map<String, PairSequences> pairs() {
    Map<String, PairSequences> sets = new LinkedHashMap<>();
    for (int i = 0; i < training.sets().size(); i++) {
      put(sets, "training." + i, training.sets().get(i));
    }
    put(sets, "validation", validation);
    for (int i = 0; i < validationBySource.size(); i++) {
      put(sets, "validation." + i, validationBySource.get(i).sequences());
    }
    return sets;
  }

  private static void put(Map<String, PairSequences> sets, String name, @Nullable SequenceSet set) {
    if (set instanceof PairSequences pairs
        && sets.values().stream().noneMatch(it -> it == pairs || pairs.isPartOf(it))) {
      sets.put(name, pairs);
    }
  }

  /** The first words of the held-out text: a prompt that suits a model trained on this data. */
  public String prompt() {
    SequenceSet text = validation == null ? training.sets().getFirst() : validation;
    long[] tokens =
        new ValidationBatches(text, text.together(), 0, 1, text.together()).read(0).tokens();
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
