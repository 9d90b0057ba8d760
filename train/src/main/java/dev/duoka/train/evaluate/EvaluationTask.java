package dev.duoka.train.evaluate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Plural;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.train.config.TaskSettings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/** Questions with known answers, as tokens: encoded once, before the run begins. */
final class EvaluationTask {
  private final TaskSettings settings;
  private final List<AskedQuestion> questions;
  private final Tokenizer tokenizer;
  private final int room;

  /**
   * Reads and encodes all questions.
   *
   * @param answerTokens that the model may write
   * @param length tokens of a sequence, at most
   * @throws DuokaException if one of them cannot be asked; names the line
   */
  EvaluationTask(
      TaskSettings settings,
      PromptEncoder encoder,
      Tokenizer tokenizer,
      int answerTokens,
      int length) {
    this.settings = settings;
    this.tokenizer = tokenizer;
    this.room = length - answerTokens;
    PromptCut cut = new PromptCut(tokenizer.bosId());
    this.questions =
        TaskFile.read(settings).stream().map(it -> asked(it, encoder, cut, length)).toList();
  }

  private AskedQuestion asked(TaskRecord record, PromptEncoder encoder, PromptCut cut, int length) {
    try {
      return switch (settings.kind()) {
        case CHOICE, PERPLEXITY -> AskedQuestion.ofChoices(record, encoder, cut, length + 1);
        case EXACT -> AskedQuestion.ofPrompt(record, encoder, cut, room);
      };
    } catch (DuokaException e) {
      throw new DuokaException(
          e.code(),
          "task '" + name() + "' cannot ask question " + record.where() + ": " + e.problem(),
          e.remedy().isEmpty() ? "Correct that line, or leave it out." : e.remedy(),
          e);
    }
  }

  String name() {
    return settings.shownName();
  }

  /** What is worth telling before the run; empty for nothing. */
  Optional<String> notice() {
    long cut = questions.stream().filter(AskedQuestion::isCut).count();
    return cut == 0
        ? Optional.empty()
        : Optional.of(
            switch (settings.kind()) {
              case CHOICE, PERPLEXITY ->
                  "task %s: %d of %s do not fit into data.sequence_length with their %s and lose their beginning"
                      .formatted(
                          name(),
                          cut,
                          Plural.of(questions.size(), "question"),
                          settings.kind() == TaskSettings.Kind.CHOICE
                              ? "longest choice"
                              : "answer");
              case EXACT ->
                  "task %s: %d of %s do not fit into the %s that validation.answer_tokens leaves of data.sequence_length, and lose their beginning"
                      .formatted(
                          name(),
                          cut,
                          Plural.of(questions.size(), "question"),
                          Plural.of(room, "token"));
            });
  }

  /**
   * The share of questions that the model answers rightly, or the perplexity of their answers.
   * Collective.
   *
   * @param most tokens of an answer that it writes
   * @param ends at which an answer ends
   */
  double figure(Asked model, int most, Set<Integer> ends) {
    return switch (settings.kind()) {
      case CHOICE -> ofChoices(model);
      case EXACT -> ofAnswers(model, most, ends);
      case PERPLEXITY -> perplexity(model);
    };
  }

  /** Of each choice of each question, or each answer. */
  private double[] logProbabilities(Asked model) {
    List<int[]> sequences = new ArrayList<>();
    List<Integer> from = new ArrayList<>();
    for (AskedQuestion question : questions) {
      for (int choice = 0; choice < question.sequences().size(); choice++) {
        sequences.add(question.sequences().get(choice));
        from.add(question.from(choice));
      }
    }
    return model.logProbabilities(sequences, from.stream().mapToInt(Integer::intValue).toArray());
  }

  /** e to the mean, over the tokens of all answers, of minus their log-probability. */
  private double perplexity(Asked model) {
    double sum = Arrays.stream(logProbabilities(model)).sum();
    long tokens =
        questions.stream().mapToLong(it -> it.sequences().getFirst().length - it.from(0)).sum();
    return Math.exp(-sum / tokens);
  }

  private double ofChoices(Asked model) {
    double[] logs = logProbabilities(model);
    int right = 0;
    int at = 0;
    for (AskedQuestion question : questions) {
      TaskRecord record = question.record();
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
    return (double) right / questions.size();
  }

  private double ofAnswers(Asked model, int most, Set<Integer> ends) {
    List<int[]> prompts = questions.stream().map(it -> it.sequences().getFirst()).toList();
    List<Asked.Written> written = model.write(prompts, most, ends);
    return (double)
            IntStream.range(0, questions.size())
                .filter(
                    i ->
                        isRight(
                            questions.get(i).record(),
                            WrittenText.of(written.get(i).ids(), tokenizer)))
                .count()
        / questions.size();
  }

  private static boolean isRight(TaskRecord record, String answer) {
    return record.answers().stream().anyMatch(it -> plain(it).equals(plain(answer)));
  }

  private static String plain(String text) {
    return text.strip().replaceAll("\\s+", " ");
  }
}
