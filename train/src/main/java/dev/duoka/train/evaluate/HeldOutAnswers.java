package dev.duoka.train.evaluate;

import dev.duoka.base.Plural;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.batch.ValidationBatches;
import dev.duoka.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The first of what is held out, each as a question and the answer that is expected. */
final class HeldOutAnswers {
  /** Of a text, in which all is learned: so much of its beginning is the question. */
  private static final int TEXT_PROMPT = 32;

  private final Tokenizer tokenizer;
  private final PromptCut cut;
  private final int room;
  private int cutPrompts;

  /** As the model is asked them. */
  private final List<int[]> prompts = new ArrayList<>();

  private final List<int[]> expected = new ArrayList<>();

  /**
   * Reads them.
   *
   * @param count how many, if there are as many
   * @param most tokens of an answer
   * @param length tokens of a sequence, at most
   */
  HeldOutAnswers(SequenceSet held, int count, int most, int length, Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
    this.cut = new PromptCut(tokenizer.bosId());
    this.room = length - most;
    int together = held.together();
    for (long first = 0; first < held.count() && prompts.size() < count; first += together) {
      add(
          new ValidationBatches(held, first + together, 0, 1, together)
              .read(Math.toIntExact(first / together)),
          most);
    }
  }

  /** Of the first sequence; of a pair that is the chosen answer. */
  private void add(MicroBatch batch, int most) {
    long[] tokens = Arrays.copyOf(batch.tokens(), batch.length());
    long[] targets = Arrays.copyOf(batch.targets(), batch.length());
    int first = 0;
    while (first < targets.length && targets[first] == MicroBatch.MASKED) {
      first++;
    }
    if (first == 0) {
      first = Math.min(TEXT_PROMPT, targets.length / 2); // a text: all of it is learned
    }
    int end = first;
    while (end < targets.length && end - first < most && targets[end] != MicroBatch.MASKED) {
      end++;
    }
    if (end > first) {
      int[] prompt = ids(Arrays.copyOf(tokens, first + 1));
      prompts.add(cut.fitting(prompt, room));
      cutPrompts += prompts.getLast().length < prompt.length ? 1 : 0;
      expected.add(ids(Arrays.copyOfRange(targets, first, end)));
    }
  }

  private static int[] ids(long[] tokens) {
    return Arrays.stream(tokens).mapToInt(Math::toIntExact).toArray();
  }

  boolean isEmpty() {
    return prompts.isEmpty();
  }

  /** What is worth telling before the run; empty for nothing. */
  Optional<String> notice() {
    return cutPrompts == 0
        ? Optional.empty()
        : Optional.of(
            "validation.answers: %d of %s do not fit into the %s that validation.answer_tokens leaves of data.sequence_length, and lose their beginning"
                .formatted(
                    cutPrompts, Plural.of(prompts.size(), "question"), Plural.of(room, "token")));
  }

  /** Has the model answer. Collective. */
  List<ShownAnswer> ask(Asked model, int most, Set<Integer> ends) {
    List<Asked.Written> written = model.write(prompts, most, ends);
    List<ShownAnswer> shown = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      shown.add(
          new ShownAnswer(
              tokenizer.decode(prompts.get(i)),
              tokenizer.decode(withoutEnd(expected.get(i), ends)),
              WrittenText.of(written.get(i).ids(), tokenizer),
              written.get(i).ended()));
    }
    return shown;
  }

  private static int[] withoutEnd(int[] tokens, Set<Integer> ends) {
    int last = tokens.length - 1;
    return ends.contains(tokens[last]) ? Arrays.copyOf(tokens, last) : tokens;
  }
}
