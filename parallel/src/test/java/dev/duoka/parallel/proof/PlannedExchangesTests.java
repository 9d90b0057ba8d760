package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.dryrun.PlannedExchanges;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlannedExchangesTests {
  /** Layouts that are drawn until so many were compared. */
  private static final int COMPARED = 40;

  @Test
  void ranksOfOnePlanHaveTheSame() {
    int compared = 0;
    for (long seed = 0; compared < COMPARED; seed++) {
      Optional<Draw> draw = Draw.of(seed);
      if (draw.isPresent() && draw.get().trial().mesh().size() > 1) {
        Trial trial = draw.get().trial();
        LocalRanks.run(
            trial.mesh().size(),
            world -> PlannedExchanges.of(job(trial, world, 0)).requireSame(world));
        compared++;
      }
    }
    assertThat(compared).isEqualTo(COMPARED);
  }

  @ParameterizedTest
  @ValueSource(longs = {2, 3, 11, 17, 23})
  void aRankWithAnotherPlanIsFoundBeforeTheStep(long from) {
    long seed = from;
    while (Draw.of(seed).map(it -> it.trial().mesh().data()).orElse(0) < 2) {
      seed++;
    }
    Trial trial = Draw.of(seed).orElseThrow().trial();
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    trial.mesh().size(),
                    world ->
                        PlannedExchanges.of(job(trial, world, world.rank() == 1 ? 1 : 0))
                            .requireSame(world)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("would wait for each other for ever")
        .hasMessageContaining("rank 1 plans");
  }

  /** The step of a rank; of another ZeRO stage where {@code other} is not 0. */
  private static DryRunJob job(Trial trial, Communicator world, int other) {
    Trial its = other == 0 ? trial : trial.withZero((trial.zero() + 2) % 4);
    return new DryRunJob(
        its.settings(), its.mesh(), world.rank(), its.microBatch(), its.accumulation());
  }
}
