package dev.duoka.parallel.schedule;

import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What each rank of a pipeline does in a step, in order.
 *
 * @param ranks one list for each rank of the pipeline
 */
public record Schedule(List<List<Action>> ranks) {
  private static final Pattern OVERLAP = Pattern.compile("\\((.*)\\)OVERLAP_F_B");
  private static final Pattern GATHERING = Pattern.compile("\\d{1,6}(UNSHARD|RESHARD)");

  public Schedule {
    ranks = ranks.stream().map(List::copyOf).toList();
  }

  /** One rank without a pipeline: each micro-batch forward and backward, then the reduction. */
  public static Schedule withoutPipeline(int microBatches) {
    List<Action> actions = new ArrayList<>();
    for (int microBatch = 0; microBatch < microBatches; microBatch++) {
      actions.add(new Action(0, Kind.FORWARD, microBatch));
      actions.add(new Action(0, Kind.BACKWARD, microBatch));
    }
    actions.add(new Action(0, Kind.REDUCE_GRADIENTS, -1));
    return new Schedule(List.of(actions));
  }

  /**
   * A schedule in the notation of torch.distributed.pipelining: a line for each rank. A cell with
   * two passes that overlap there, as in {@code (2F3;1B0)OVERLAP_F_B}, is one after the other here.
   * {@code UNSHARD} and {@code RESHARD} say nothing: how weights are gathered follows from ZeRO.
   */
  public static Schedule parse(String csv) {
    return new Schedule(
        csv.lines()
            .filter(line -> !line.isBlank())
            .map(line -> Stream.of(line.split(",")).flatMap(Schedule::actions).toList())
            .toList());
  }

  private static Stream<Action> actions(String cell) {
    Matcher overlap = OVERLAP.matcher(cell.strip());
    String each = overlap.matches() ? overlap.group(1) : cell;
    return Stream.of(each.split(";"))
        .filter(text -> !text.isBlank() && !GATHERING.matcher(text.strip()).matches())
        .map(Action::parse);
  }

  /** A table of computations alone, as {@link #parse} reads it, with its messages added. */
  public static Schedule parseComputations(String csv) {
    return Messages.added(parse(csv));
  }

  /** Whether gradients are computed. */
  public boolean hasBackward() {
    return ranks.stream()
        .flatMap(List::stream)
        .anyMatch(
            action -> action.kind() == Kind.BACKWARD || action.kind() == Kind.INPUT_GRADIENTS);
  }

  /** The rank that runs each stage. */
  public List<Integer> rankOfStages() {
    Progress progress = new Progress(this);
    return IntStream.range(0, progress.stages()).map(progress::rankOf).boxed().toList();
  }

  /** The stages of a rank, in their order. */
  public List<Integer> stagesOf(int rank) {
    return ranks.get(rank).stream().map(Action::stage).distinct().sorted().toList();
  }

  /** The notation that {@link #parse} reads. */
  public String csv() {
    return ranks.stream()
        .map(actions -> actions.stream().map(Action::toString).collect(Collectors.joining(",")))
        .collect(Collectors.joining("\n", "", "\n"));
  }
}
