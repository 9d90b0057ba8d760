package dev.duoka.operations.supervise;

import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.setaside.MetricsCut;
import dev.duoka.formats.setaside.SetAside;
import dev.duoka.operations.run.FewerCards;
import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.RemedyPlan;
import dev.duoka.operations.run.RemedyState;
import dev.duoka.operations.run.RunProgress;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What is changed when a run failed in a way that a plain restart does not cure: at most what its
 * {@link RemedyPlan} has, each time with a line in the record. One that did not help is taken back
 * by the next, or by the end of the run. One thread.
 */
final class Remedies {
  private static final String REMEDY = "remedy";
  private static final String UNDONE = "undone";
  private static final String METRICS = "metrics.jsonl";
  private static final String ANSWERS = "answers.jsonl";

  private final SupervisionFolder folder;
  private final LaunchSpec launch;
  private final RunRecord record;
  private RemedyState state;

  Remedies(SupervisionFolder folder, LaunchSpec launch, RunRecord record) {
    this.folder = folder;
    this.launch = launch;
    this.record = record;
    this.state = RemedyState.read(folder);
  }

  private RemedyPlan plan() {
    return launch.remedies();
  }

  /** The run's cards that are left. */
  private List<String> cardsLeft() {
    return launch.cards().stream().filter(card -> !state.lostCards().contains(card)).toList();
  }

  /** How the run goes on with those; empty where it needs none fewer, or cannot. */
  private Optional<FewerCards> fewer() {
    int left = cardsLeft().size();
    return state.lostCards().isEmpty()
        ? Optional.empty()
        : plan().fewerCards().stream().filter(way -> way.cards() <= left).findFirst();
  }

  /** The launch as it is now, on the cards that are left. */
  LaunchSpec launch() {
    return fewer().map(way -> launch.on(cardsLeft(), way)).orElse(launch);
  }

  /** What is overridden in the run file; of two that name the same field the later one counts. */
  List<String> overrides() {
    List<String> all = new ArrayList<>(memory());
    all.addAll(rate());
    if (!state.leftOut().isEmpty()) {
      all.add("data.leave_out=[" + quoted(state.leftOut()) + "]");
    }
    List<String> ofCards = fewer().map(FewerCards::overrides).orElse(List.of());
    List<String> fields = all.stream().map(Remedies::field).toList();
    ofCards.stream().filter(it -> !fields.contains(field(it))).forEach(all::add);
    return all;
  }

  private static String field(String override) {
    return override.substring(0, override.indexOf('='));
  }

  private static String quoted(List<String> entries) {
    return String.join(", ", entries.stream().map(entry -> "\"" + entry + "\"").toList());
  }

  private List<String> memory() {
    return state.memory() == 0 ? List.of() : plan().allOfMemory().get(state.memory() - 1);
  }

  private List<String> rate() {
    return state.wentBack() == 0 ? List.of() : plan().divergence().get(state.wentBack() - 1);
  }

  private void now(RemedyState changed) {
    state = changed;
    changed.write(folder);
  }

  /** Whether something is changed because of a failure, so that the run is started again. */
  boolean help(int attempt, AttemptEnd end) {
    if (end.is(ErrorCode.OUT_OF_MEMORY) || isOfMemory(end)) {
      return helpMemory(attempt, end);
    }
    return end.is(ErrorCode.NUMERICS) && helpDivergence(attempt, end);
  }

  /**
   * Whether a run was refused for what a remedy of memory has changed: such an error names the
   * field. One that names none of them is of a file that somebody has changed, or that is gone, and
   * would be the same with any remedy.
   */
  private boolean isOfMemory(AttemptEnd end) {
    String message = end.failure().map(WorkerFolder.Failure::message).orElse("");
    return end.is(ErrorCode.CONFIG)
        && memory().stream().map(Remedies::field).anyMatch(message::contains);
  }

  private boolean helpMemory(int attempt, AttemptEnd end) {
    boolean guesses = end.failure().filter(WorkerFolder.Failure::nothingElse).isEmpty();
    // Workers may have gone over to the one in use by themselves, and mean to be started with it.
    OptionalInt said =
        numberOf(end.failure().map(WorkerFolder.Failure::overrides).orElse(List.of()), guesses);
    if (said.isEmpty() && !(guesses && state.memory() < plan().memory().size())) {
      if (state.memory() > 0) {
        record.add(attempt, UNDONE, String.join(", ", memory()) + ": that did not help either");
      }
      return false;
    }
    String before = state.memory() == 0 ? "" : " in place of " + memory();
    useMemory(said.orElse(state.memory() + 1));
    record.add(
        attempt,
        REMEDY,
        withoutStop(end.text())
            + ". The run goes on from its newest checkpoint with "
            + String.join(", ", memory())
            + before
            + ": the tokens of each step stay the same");
    return true;
  }

  private static String withoutStop(String text) {
    return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
  }

  /** Workers have gone over to a remedy by themselves: the next start is to begin with it. */
  void changed(int attempt, WorkerFolder.Change change) {
    OptionalInt number = numberOf(change.overrides(), true);
    if (number.isPresent()) {
      useMemory(number.getAsInt());
      record.add(attempt, REMEDY, change.text());
    }
  }

  private void useMemory(int number) {
    now(new RemedyState(number, state.wentBack(), state.leftOut(), state.lostCards()));
  }

  /**
   * Which of the plan's remedies workers mean, counted from 1; they name what differs from what
   * they were started with. Those of steps and those of what is beside them do not follow each
   * other, so that any may be meant.
   *
   * @param another whether it cannot be the one in use
   */
  private OptionalInt numberOf(List<String> overrides, boolean another) {
    Map<String, String> meant = byField(memory());
    meant.putAll(byField(overrides));
    List<List<String>> all = plan().allOfMemory();
    for (int i = 0; i < all.size(); i++) {
      boolean isInUse = i + 1 == state.memory();
      if (!overrides.isEmpty() && !(another && isInUse) && byField(all.get(i)).equals(meant)) {
        return OptionalInt.of(i + 1);
      }
    }
    return OptionalInt.empty();
  }

  private static Map<String, String> byField(List<String> overrides) {
    Map<String, String> fields = new HashMap<>();
    overrides.forEach(override -> fields.put(field(override), override));
    return fields;
  }

  /** Back to the last checkpoint before it; the batches since then are left out. */
  private boolean helpDivergence(int attempt, AttemptEnd end) {
    if (state.wentBack() >= plan().divergence().size()) {
      if (!rate().isEmpty()) {
        record.add(attempt, UNDONE, String.join(", ", rate()) + ": that did not help");
      }
      return false;
    }
    long reached = RunProgress.of(folder.run()).step() + 1;
    long began = end.divergence().map(Divergence::began).orElse(reached);
    long noticed = end.divergence().map(Divergence::noticed).orElse(reached);
    OptionalLong good = RunProgress.checkpointBefore(folder.run(), began);
    if (good.isEmpty() && RunProgress.newestCheckpoint(folder.run()).isPresent()) {
      record.add(
          attempt,
          "not-remedied",
          "all checkpoints are of steps since "
              + began
              + ": raise checkpoint.keep, so that there is one to go back to");
      return false;
    }
    long back = good.orElse(0);
    setAsideFrom(attempt, began, back);
    String before = rate().isEmpty() ? "" : " in place of " + rate();
    List<String> leftOut = new ArrayList<>(state.leftOut());
    leftOut.add(back + ":" + Math.max(1, noticed - back));
    now(new RemedyState(state.memory(), state.wentBack() + 1, leftOut, state.lostCards()));
    record.add(
        attempt,
        REMEDY,
        end.text()
            + ". The run goes back to "
            + (back == 0 ? "its beginning" : "the checkpoint of step " + back)
            + " and leaves out the batches of "
            + Math.max(1, noticed - back)
            + " steps"
            + (rate().isEmpty() ? "" : ", with " + String.join(", ", rate()) + before));
    return true;
  }

  /**
   * Puts away the checkpoints of what has diverged, with the metrics that the run will take again.
   *
   * @param back the step that it goes back to
   */
  private void setAsideFrom(int attempt, long began, long back) {
    Path run = folder.run();
    Path aside = SetAside.fresh(run, "diverged-" + attempt);
    OptionalLong newest = RunProgress.newestCheckpoint(run);
    try {
      Files.createDirectories(aside);
      MetricsCut.copyAfter(run.resolve(METRICS), back, aside.resolve(METRICS));
      if (Files.exists(run.resolve(ANSWERS))) {
        MetricsCut.copyAfter(run.resolve(ANSWERS), back, aside.resolve(ANSWERS));
      }
      while (newest.isPresent() && newest.getAsLong() >= began) {
        SetAside.moveCheckpoint(RunProgress.checkpoint(run, newest.getAsLong()), aside);
        newest = RunProgress.newestCheckpoint(run);
      }
    } catch (IOException e) {
      record.add(
          attempt,
          "not-moved",
          "cannot set aside what came after step " + back + ": " + IoReason.of(e));
    }
  }

  /**
   * Whether the run goes on without cards that are lost.
   *
   * @param lost by their names in the launch
   */
  boolean helpLost(int attempt, Set<String> lost, String text) {
    List<String> all = new ArrayList<>(state.lostCards());
    lost.stream().filter(card -> !all.contains(card)).sorted().forEach(all::add);
    now(new RemedyState(state.memory(), state.wentBack(), state.leftOut(), all));
    Optional<FewerCards> way = fewer();
    way.ifPresent(
        found ->
            record.add(
                attempt,
                REMEDY,
                text
                    + ". The run goes on from its newest checkpoint on the cards "
                    + String.join(", ", launch().cards())
                    + " with "
                    + String.join(", ", found.overrides())
                    + ": the tokens of each step stay the same"));
    return way.isPresent();
  }
}
