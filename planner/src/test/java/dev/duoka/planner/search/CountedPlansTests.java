package dev.duoka.planner.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Basis;
import dev.duoka.hardware.Catalogue;
import dev.duoka.layout.Method;
import dev.duoka.layout.Precision;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.memory.Owner;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a plan says of memory is what the engine books, or is marked as an estimate. */
class CountedPlansTests {
  private static final double GIB = 1L << 30;
  private static final Catalogue CATALOGUE = Catalogue.builtIn();

  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 4xH100-80G",
    "deepseek-llm-7b, 4xA100-80G",
    "deepseek-v2-lite, 8xH200",
    "deepseek-coder-1.3b, 2xRTX4090"
  })
  void memoryIsThatOfADryRun(String model, String machine) {
    PlanRequest request = request(model, machine, Precision.BF16);
    PlanResult result = new Planner(CATALOGUE).plan(request);
    Plan plan = result.bestRunnable().orElseThrow();
    ModelConfig config = Presets.named(model);
    long booked =
        DryRun.unrolled(
                DryRunJob.of(config, plan.layout(), request.job().sequenceLength()).steady())
            .peakBytes();
    assertThat(plan.memory().allocated()).isEqualTo((double) booked);
    assertThat(plan.memory().total()).isGreaterThan(booked + 0.5 * GIB);
    assertThat(plan.memory().total() / GIB).isLessThan(request.machine().card().memoryGib());
    for (Owner owner : Owner.values()) {
      Basis basis = Objects.requireNonNull(plan.memory().bytes().get(owner)).basis();
      assertThat(basis).as("%s", owner).isEqualTo(owner.isTensor() ? Basis.EXACT : basis);
    }
  }

  @Test
  void whatTheEngineCannotRunIsEstimatedThroughout() {
    PlanResult result =
        new Planner(CATALOGUE).plan(request("deepseek-llm-67b", "8xH100-80G", Precision.BF16));
    assertThat(result.plans()).isNotEmpty();
    for (Plan plan : result.plans()) {
      if (!plan.runnable()) {
        assertThat(plan.memory().bytes().values())
            .allMatch(figure -> figure.value() == 0 || figure.basis() == Basis.ASSUMED);
      }
    }
  }

  /** Linear layers of 8 bits are in the engine. */
  @Test
  void theEngineRunsFp8() {
    PlanResult result =
        new Planner(CATALOGUE).plan(request("deepseek-coder-1.3b", "1xH100-80G", Precision.FP8));
    assertThat(result.bestRunnable()).isPresent();
    assertThat(result.bestRunnable().orElseThrow().layout().precision()).isEqualTo(Precision.FP8);
  }

  private static PlanRequest request(String model, String machine, Precision precision) {
    return new PlanRequest(
        model,
        ModelShape.of(Presets.named(model)),
        CATALOGUE.machine(machine),
        new Job(4096, 4096L * 64, Job.DEFAULT_IMBALANCE),
        Method.FULL,
        List.of(precision),
        true,
        EngineTraits.DUOKA);
  }
}
