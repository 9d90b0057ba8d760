package dev.duoka.train.evaluate;

import dev.duoka.base.DuokaException;
import dev.duoka.data.batch.SequenceSet;
import dev.duoka.data.chat.ChatTemplate;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.Evaluator;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.TaskSettings;
import dev.duoka.train.config.ValidationSettings;
import dev.duoka.train.step.RankState;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a run asks its model at each validation beside the loss. Read once; the same on all ranks,
 * which may share it.
 */
public final class Evaluations {
  private final ValidationSettings settings;
  private final SequenceBatches batches;
  private final List<EvaluationTask> tasks;
  private final @Nullable HeldOutAnswers held;
  private final Set<Integer> ends;

  private Evaluations(
      ValidationSettings settings,
      SequenceBatches batches,
      List<EvaluationTask> tasks,
      @Nullable HeldOutAnswers held,
      Set<Integer> ends) {
    this.settings = settings;
    this.batches = batches;
    this.tasks = List.copyOf(tasks);
    this.held = held;
    this.ends = Set.copyOf(ends);
  }

  /**
   * Those of a run file.
   *
   * @param template of the run's chats; empty for text
   * @param validation what is held out; null where nothing is
   * @param ends at which answers end
   */
  public static Evaluations of(
      RunConfig config,
      Tokenizer tokenizer,
      Optional<ChatTemplate> template,
      @Nullable SequenceSet validation,
      Set<Integer> ends) {
    ValidationSettings settings = config.validation();
    HeldOutAnswers held =
        validation == null || settings.answers() == 0
            ? null
            : new HeldOutAnswers(
                validation,
                settings.answers(),
                settings.answerTokens(),
                config.data().sequenceLength(),
                tokenizer);
    return new Evaluations(
        settings,
        new SequenceBatches(
            Mesh.of(config.layout()),
            Evaluator.asked(config.layout().microBatch()),
            config.data().sequenceLength()),
        settings.tasks().stream().map(task -> task(config, task, tokenizer, template)).toList(),
        held,
        ends);
  }

  private static EvaluationTask task(
      RunConfig config, TaskSettings task, Tokenizer tokenizer, Optional<ChatTemplate> template) {
    return new EvaluationTask(
        task,
        new PromptEncoder(tokenizer, template, config.data().systemPrompt()),
        tokenizer,
        config.validation().answerTokens(),
        config.data().sequenceLength());
  }

  /**
   * Checks that all questions of a task can be asked: reads and encodes them.
   *
   * @param template of the run's chats; empty for text
   * @throws DuokaException if one cannot; names its line
   */
  public static void check(
      RunConfig config, TaskSettings task, Tokenizer tokenizer, Optional<ChatTemplate> template) {
    task(config, task, tokenizer, template);
  }

  /** What is worth telling before the run, a line each. */
  public List<String> notices() {
    List<String> lines = new ArrayList<>();
    tasks.forEach(task -> task.notice().ifPresent(lines::add));
    HeldOutAnswers answers = held;
    if (answers != null) {
      answers.notice().ifPresent(lines::add);
    }
    return lines;
  }

  /**
   * What came out.
   *
   * @param figures of the tasks, by name: the share of right answers, or a perplexity
   * @param answers to what is held out
   */
  public record Outcome(Map<String, Double> figures, List<ShownAnswer> answers) {}

  /**
   * Asks the model of a rank. Collective.
   *
   * @param pause called between passes; may throw to end early, on all ranks alike
   */
  public Outcome ask(RankState rank, Runnable pause) {
    Asked model =
        new Asked(
            rank.step().evaluator(), batches, batches.mesh().dataRank(rank.world().rank()), pause);
    Map<String, Double> figures = new LinkedHashMap<>();
    for (EvaluationTask task : tasks) {
      figures.put(task.name(), task.figure(model, settings.answerTokens(), ends));
    }
    HeldOutAnswers answers = held;
    return new Outcome(
        figures,
        answers == null || answers.isEmpty()
            ? List.of()
            : answers.ask(model, settings.answerTokens(), ends));
  }
}
