package dev.duoka.train.evaluate;

import dev.duoka.data.batch.MicroBatch;
import dev.duoka.parallel.step.Evaluator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Asks the model of a rank. All methods are collective: every rank asks the same and gets the same.
 *
 * @param pause called between passes; may throw to end early, on all ranks alike
 */
record Asked(Evaluator evaluator, SequenceBatches batches, int dataRank, Runnable pause) {
  /**
   * The log-probability of what follows a place of each sequence.
   *
   * @param from the first token that counts
   */
  double[] logProbabilities(List<int[]> sequences, int[] from) {
    double[] all = new double[sequences.size()];
    for (int first = 0; first < all.length; first += batches.together()) {
      pause.run();
      int end = Math.min(all.length, first + batches.together());
      MicroBatch batch =
          batches.of(sequences.subList(first, end), Arrays.copyOfRange(from, first, end), dataRank);
      double[] found = evaluator.logProbabilities(1, () -> batch, false);
      System.arraycopy(found, 0, all, first, end - first);
    }
    return all;
  }

  /**
   * What the model writes after each prompt, always the most likely token.
   *
   * @param most tokens of an answer
   * @param ends at which an answer ends
   * @return the answers without their end
   */
  List<Written> write(List<int[]> prompts, int most, Set<Integer> ends) {
    List<Written> answers = new ArrayList<>();
    for (int first = 0; first < prompts.size(); first += batches.together()) {
      int end = Math.min(prompts.size(), first + batches.together());
      answers.addAll(writeTogether(prompts.subList(first, end), most, ends));
    }
    return answers;
  }

  /**
   * An answer.
   *
   * @param ended whether the model ended it
   */
  record Written(List<Integer> tokens, boolean ended) {
    Written {
      tokens = List.copyOf(tokens);
    }

    /** The tokens as an array of their own. */
    int[] ids() {
      return tokens.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  private List<Written> writeTogether(List<int[]> prompts, int most, Set<Integer> ends) {
    List<int[]> all = new ArrayList<>(prompts);
    boolean[] ended = new boolean[all.size()];
    BooleanSupplier done =
        () -> {
          for (int i = 0; i < ended.length; i++) {
            if (!ended[i] && all.get(i).length < batches.most()) {
              return false;
            }
          }
          return true;
        };
    for (int token = 0; token < most && !done.getAsBoolean(); token++) {
      pause.run();
      int[] next = evaluator.mostLikely(places(all));
      for (int i = 0; i < ended.length; i++) {
        if (!ended[i] && all.get(i).length < batches.most()) {
          if (ends.contains(next[i])) {
            ended[i] = true;
          } else {
            int[] longer = Arrays.copyOf(all.get(i), all.get(i).length + 1);
            longer[longer.length - 1] = next[i];
            all.set(i, longer);
          }
        }
      }
    }
    List<Written> written = new ArrayList<>();
    for (int i = 0; i < ended.length; i++) {
      int[] tokens = all.get(i);
      written.add(
          new Written(
              Arrays.stream(tokens, prompts.get(i).length, tokens.length).boxed().toList(),
              ended[i]));
    }
    return written;
  }

  /** A target behind the last token of each, which says where the next one is asked for. */
  private MicroBatch places(List<int[]> sequences) {
    List<int[]> withPlace = new ArrayList<>();
    int[] from = new int[sequences.size()];
    for (int i = 0; i < from.length; i++) {
      int length = Math.min(sequences.get(i).length, batches.most());
      withPlace.add(Arrays.copyOf(sequences.get(i), length + 1));
      from[i] = length;
    }
    return batches.of(withPlace, from, dataRank);
  }
}
