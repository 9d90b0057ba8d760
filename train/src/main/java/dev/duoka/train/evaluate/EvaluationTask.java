package dev.duoka.train.evaluate;

import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.train.config.TaskSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** Questions with known answers, as tokens. */
final class EvaluationTask {
  private final TaskSettings settings;
  private final List<TaskRecord> records;
  private final PromptEncoder encoder;
  private final Tokenizer tokenizer;

  EvaluationTask(TaskSettings settings, PromptEncoder encoder, Tokenizer tokenizer) {
    this.settings = settings;
    this.records = TaskFile.read(settings);
    this.encoder = encoder;
    this.tokenizer = tokenizer;
  }

  String name() {
    return settings.shownName();
  }

  /**
   * The share of questions that the model answers rightly. Collective.
   *
   * @param most tokens of an answer that it writes
   * @param ends at which an answer ends
   */
  double accuracy(Asked model, int most, Set<Integer> ends) {
    return switch (settings.kind()) {
      case CHOICE -> ofChoices(model);
      case EXACT -> ofAnswers(model, most, ends);
    };
  }

  private double ofChoices(Asked model) {
    List<int[]> sequences = new ArrayList<>();
    List<Integer> from = new ArrayList<>();
    int most = model.batches().most() + 1; // the last token is a target alone
    for (TaskRecord record : records) {
      List<PromptEncoder.Answered> answered =
          record.choices().stream().map(it -> encoder.answered(record.asked(), it)).toList();
      // What does not fit is cut off the question, of all choices alike.
      int longest = answered.stream().mapToInt(it -> it.ids().size()).max().orElse(0);
      int cut = Math.max(0, longest - most);
      for (PromptEncoder.Answered each : answered) {
        int start = Math.min(cut, Math.max(0, each.from() - 1));
        from.add(each.from() - start);
        sequences.add(
            each.ids().stream().skip(start).limit(most).mapToInt(Integer::intValue).toArray());
      }
    }
    double[] logs =
        model.logProbabilities(sequences, from.stream().mapToInt(Integer::intValue).toArray());
    int right = 0;
    int at = 0;
    for (TaskRecord record : records) {
      int best = 0;
      double largest = Double.NEGATIVE_INFINITY;
      for (int choice = 0; choice < record.choices().size(); choice++) {
        int length = settings.byLength() ? record.choices().get(choice).length() : 1;
        double score = logs[at++] / Math.max(1, length);
        if (score > largest) {
          largest = score;
          best = choice;
        }
      }
      right += best == record.correct() ? 1 : 0;
    }
    return (double) right / records.size();
  }

  private double ofAnswers(Asked model, int most, Set<Integer> ends) {
    List<int[]> prompts =
        records.stream()
            .map(record -> fitting(encoder.prompt(record.asked()), most, model.batches().most()))
            .toList();
    List<Asked.Written> written = model.write(prompts, most, ends);
    return (double)
            IntStream.range(0, records.size())
                .filter(i -> isRight(records.get(i), tokenizer.decode(written.get(i).ids())))
                .count()
        / records.size();
  }

  private static boolean isRight(TaskRecord record, String answer) {
    return record.answers().stream().anyMatch(it -> plain(it).equals(plain(answer)));
  }

  private static String plain(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }

  /** The end of a prompt that leaves room for an answer. */
  static int[] fitting(int[] prompt, int answer, int most) {
    int room = Math.max(1, most - answer);
    return prompt.length <= room
        ? prompt
        : Arrays.copyOfRange(prompt, prompt.length - room, prompt.length);
  }
}
