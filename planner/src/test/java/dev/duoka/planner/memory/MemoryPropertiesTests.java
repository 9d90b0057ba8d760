package dev.duoka.planner.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.state.ShardedOptimizer;
import dev.duoka.planner.RandomCases;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.Stage;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What must hold of every model and layout. */
final class MemoryPropertiesTests {
  private static final int CASES = 400;

  private final RandomCases cases = new RandomCases(11);

  @Test
  void ownersAddUpAndNothingIsNegative() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      MemoryEstimate estimate = estimate(shape, cases.layout(shape), 1.2);
      assertThat(estimate.bytes()).hasSameSizeAs(Owner.values());
      double sum = estimate.bytes().values().stream().mapToDouble(Figure::value).sum();
      assertThat(estimate.total()).isCloseTo(sum, within(1e-6 * sum));
      assertThat(estimate.bytes().values())
          .allSatisfy(figure -> assertThat(figure.value()).isGreaterThanOrEqualTo(0).isFinite());
    }
  }

  @Test
  void shardingMoreNeverKeepsMoreStates() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      Layout layout = cases.layout(shape);
      double before = Double.POSITIVE_INFINITY;
      for (int zero = 0; zero <= 3; zero++) {
        double states = estimate(shape, with(layout, zero, layout.recompute()), 1.2).states();
        assertThat(states).isLessThanOrEqualTo(before);
        before = states;
      }
    }
  }

  @Test
  void recomputingMoreNeverKeepsMoreThanALayerMore() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      Layout layout = cases.layout(shape);
      double none = activations(shape, with(layout, 1, Recompute.NONE));
      assertThat(activations(shape, with(layout, 1, Recompute.SELECTIVE))).isLessThan(none);
      assertThat(activations(shape, with(layout, 1, Recompute.FULL))).isLessThan(none);
    }
  }

  @Test
  void tensorParallelismDividesWhatItShould() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      Layout one = mesh(cases.layout(shape), 1);
      Layout four = mesh(cases.layout(shape), 4);
      StageParameters whole = StageParameters.of(shape, Stage.split(shape, 1).getFirst(), one);
      StageParameters part = StageParameters.of(shape, Stage.split(shape, 1).getFirst(), four);
      assertThat(part.embedding()).isCloseTo(whole.embedding() / 4, within(1.0));
      assertThat(part.expert()).isEqualTo(whole.expert());
      // Latent projections, routers and norms stay whole.
      assertThat(part.dense()).isBetween(whole.dense() / 4, whole.dense() / 2);
    }
  }

  @Test
  void unequalExpertsNeedMore() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      Layout layout = cases.layout(shape);
      double balanced = estimate(shape, layout, 1).total();
      double unequal = estimate(shape, layout, 2).total();
      assertThat(unequal).isGreaterThanOrEqualTo(balanced);
      if (layout.expert() == 1) {
        assertThat(unequal).isEqualTo(balanced);
      }
    }
  }

  @Test
  void whatIsOffloadedIsOnTheHost() {
    for (int i = 0; i < CASES; i++) {
      ModelShape shape = cases.shape();
      MemoryEstimate estimate = estimate(shape, cases.layout(shape), 1.2);
      Layout layout = cases.layout(shape);
      estimate = estimate(shape, layout, 1.2);
      if (layout.offload() == Offload.NONE) {
        assertThat(estimate.hostBytes()).isZero();
      } else {
        double passing =
            layout.updatesOnHost()
                ? 0
                : ShardedOptimizer.passingAtOnce(layout.offloadFraction())
                    * StateBytes.of(layout, shape.config(), EngineTraits.DUOKA).optimizer();
        assertThat(estimate.of(Owner.OPTIMIZER)).isBetween(0.0, passing);
        assertThat(estimate.hostBytes()).isPositive();
      }
    }
  }

  private static double activations(ModelShape shape, Layout layout) {
    return estimate(shape, layout, 1.2).of(Owner.ACTIVATIONS);
  }

  private static MemoryEstimate estimate(ModelShape shape, Layout layout, double imbalance) {
    List<Stage> stages = Stage.split(shape, layout.pipeline());
    long tokens = 4096L * layout.data() * layout.microBatch() * layout.accumulation();
    return new MemoryModel(shape, new Job(4096, tokens, imbalance), EngineTraits.DUOKA)
        .estimate(layout, stages);
  }

  private static Layout with(Layout layout, int zero, Recompute recompute) {
    return new Layout(
        layout.data(),
        layout.tensor(),
        layout.pipeline(),
        layout.expert(),
        layout.context(),
        zero,
        layout.microBatch(),
        layout.accumulation(),
        recompute,
        Offload.NONE,
        layout.loss(),
        layout.precision(),
        layout.method());
  }

  private static Layout mesh(Layout layout, int tensor) {
    return new Layout(
        8,
        tensor,
        1,
        1,
        1,
        0,
        1,
        1,
        layout.recompute(),
        Offload.NONE,
        layout.loss(),
        layout.precision(),
        Method.FULL);
  }
}
