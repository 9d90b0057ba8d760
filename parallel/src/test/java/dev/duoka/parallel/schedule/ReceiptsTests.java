package dev.duoka.parallel.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.layout.PipelineKind;
import dev.duoka.parallel.schedule.Action.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever the speeds of the ranks: nothing is let go too early, and nobody waits for ever. */
final class ReceiptsTests {
  /** Plays a schedule whose ranks go on in a random order, as its executor does. */
  private static final class Play {
    private final Schedule schedule;
    private final Receipts receipts;
    private final Map<Action, Integer> rankOf = new HashMap<>();
    private final Set<Action> done = new HashSet<>();
    private final int[] next;
    private final List<List<Action>> keeping = new ArrayList<>();
    private final List<List<Action>> due = new ArrayList<>();

    /** Times that a rank stood still until a message was taken. */
    private int waits;

    /** The most messages that a rank kept beyond those whose activations it kept, too. */
    private int most;

    Play(Schedule schedule) {
      this.schedule = schedule;
      receipts = Receipts.of(schedule);
      next = new int[schedule.ranks().size()];
      for (int rank = 0; rank < next.length; rank++) {
        int own = rank;
        schedule.ranks().get(rank).forEach(action -> rankOf.put(action, own));
        keeping.add(new ArrayList<>());
        due.add(new ArrayList<>());
      }
    }

    Play run(long seed) {
      Random random = new Random(seed);
      Set<Integer> stuck = new HashSet<>();
      while (stuck.size() < next.length) {
        int rank = random.nextInt(next.length);
        if (step(rank)) {
          stuck.clear();
        } else {
          stuck.add(rank);
        }
      }
      for (int rank = 0; rank < next.length; rank++) {
        assertThat(next[rank]).as("rank " + rank).isEqualTo(schedule.ranks().get(rank).size());
      }
      return this;
    }

    private boolean step(int rank) {
      if (!due.get(rank).isEmpty()) {
        boolean taken = due.get(rank).stream().allMatch(this::isTaken);
        if (!taken) {
          return false;
        }
        due.get(rank).clear();
      }
      List<Action> own = schedule.ranks().get(rank);
      if (next[rank] == own.size() || !isReady(rank, own.get(next[rank]))) {
        return false;
      }
      Action action = own.get(next[rank]);
      done.add(action);
      if (action.kind() == Kind.SEND_BACKWARD || action.kind() == Kind.SEND_FORWARD) {
        keeping.get(rank).add(action);
      }
      List<Action> let = receipts.after(rank, next[rank]++);
      assertThat(keeping.get(rank)).containsAll(let);
      keeping.get(rank).removeAll(let);
      due.get(rank).addAll(let);
      waits += let.stream().allMatch(this::isTaken) ? 0 : 1;
      Kind alone = schedule.hasBackward() ? Kind.SEND_BACKWARD : Kind.SEND_FORWARD;
      long count = keeping.get(rank).stream().filter(sent -> sent.kind() == alone).count();
      most = Math.max(most, (int) count);
      return true;
    }

    private boolean isReady(int rank, Action action) {
      Action need =
          switch (action.kind()) {
            case FORWARD -> new Action(action.stage(), Kind.RECEIVE_FORWARD, action.microBatch());
            case BACKWARD, INPUT_GRADIENTS ->
                new Action(action.stage(), Kind.RECEIVE_BACKWARD, action.microBatch());
            case WEIGHT_GRADIENTS,
                SEND_FORWARD,
                RECEIVE_FORWARD,
                SEND_BACKWARD,
                RECEIVE_BACKWARD,
                REDUCE_GRADIENTS ->
                action;
          };
      if (!schedule.ranks().get(rank).contains(need) || need.equals(action)) {
        return true;
      }
      return done.contains(
          need.kind() == Kind.RECEIVE_FORWARD
              ? new Action(action.stage() - 1, Kind.SEND_FORWARD, action.microBatch())
              : new Action(action.stage() + 1, Kind.SEND_BACKWARD, action.microBatch()));
    }

    private boolean isTaken(Action sent) {
      boolean forward = sent.kind() == Kind.SEND_FORWARD;
      int stage = sent.stage() + (forward ? 1 : -1);
      return forward
          ? done.contains(new Action(stage, Kind.FORWARD, sent.microBatch()))
          : done.contains(new Action(stage, Kind.BACKWARD, sent.microBatch()))
              || done.contains(new Action(stage, Kind.INPUT_GRADIENTS, sent.microBatch()));
    }
  }

  @ParameterizedTest
  @EnumSource(PipelineKind.class)
  void everySpeedEndsAndFewMessagesAreKept(PipelineKind kind) {
    for (int ranks = 2; ranks <= 8; ranks++) {
      for (int m : List.of(ranks, 2 * ranks, 4 * ranks)) {
        Schedule schedule =
            PipelineSchedules.of(kind, ranks, kind == PipelineKind.INTERLEAVED ? 2 : 1, m);
        for (int seed = 0; seed < 3; seed++) {
          assertThat(new Play(schedule).run(seed).most)
              .as("%s, %s ranks, %s micro-batches", kind, ranks, m)
              .isLessThanOrEqualTo(Receipts.KEPT);
        }
      }
    }
  }

  @Test
  void nobodyWaitsWhereMessagesComeBack() {
    for (int seed = 0; seed < 20; seed++) {
      assertThat(new Play(PipelineSchedules.oneForwardOneBackward(4, 32)).run(seed).waits).isZero();
    }
  }

  @Test
  void forwardPassesAloneKeepAFew() {
    for (List<Integer> stages :
        List.of(List.of(0, 1), List.of(0, 1, 2, 3), List.of(0, 1, 0, 1), List.of(0, 1, 1, 0))) {
      int ranks = stages.stream().max(Integer::compare).orElseThrow() + 1;
      Schedule schedule = PipelineSchedules.forwardOnly(stages, ranks, 24);
      for (int seed = 0; seed < 5; seed++) {
        assertThat(new Play(schedule).run(seed).most)
            .as("stages on ranks %s", stages)
            .isLessThanOrEqualTo(2 * Receipts.KEPT);
      }
    }
  }

  /** The last rank sends backward twice before anything comes back that tells of the first. */
  @Test
  void aMessageIsKnownToBeTakenByTheNextThatCameBack() {
    Schedule schedule =
        Schedule.parseComputations(
            """
            0F0,0F1,0B0,0F2,0B1,0B2
            ,1F0,1B0,1F1,1B1,1F2,1B2
            """);
    List<Action> last = schedule.ranks().get(1);
    Receipts receipts = Receipts.of(schedule);
    int use = last.indexOf(Action.parse("1F2"));
    for (int i = 0; i < last.size(); i++) {
      List<Action> expected = i == use ? List.of(Action.parse("1SEND_B0")) : List.of();
      assertThat(receipts.after(1, i)).as(last.get(i).toString()).isEqualTo(expected);
    }
  }
}
