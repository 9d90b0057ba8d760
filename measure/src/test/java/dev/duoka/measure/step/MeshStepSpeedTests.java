package dev.duoka.measure.step;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.Json;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.tensor.Device;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.device.Transport;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

final class MeshStepSpeedTests {
  private static final int STEPS = 2;

  /** The whole vocabulary of the tiny models. */
  private static final int KINDS = 320;

  /** Two micro-batches of a rank, or one of each of two, are the same tokens. */
  @ParameterizedTest
  @ValueSource(strings = {"data=2", "data=2,zero=3", "tensor=2", "pipeline=2", "context=2"})
  void ranksOfAMeshTakeTheStepOfOne(String mesh) {
    int accumulation = mesh.startsWith("data") ? 1 : 2;
    List<Double> losses = measured("data=1", 2).measured().getFirst().result().losses();
    MeshStepSpeed speed = measured(mesh, accumulation);
    assertThat(losses).hasSize(STEPS);
    assertThat(speed.measured()).hasSize(2);
    for (RankSteps rank : speed.measured()) {
      for (int step = 0; step < STEPS; step++) {
        assertThat(rank.result().losses().get(step))
            .isCloseTo(losses.get(step), Offset.offset(1e-4));
      }
    }
  }

  @Test
  void everyRankHasItsTimesAndItsMemoryBesideThePrediction() {
    MeshStepSpeed speed = measured("pipeline=2", 2);
    assertThat(speed.transport()).isEqualTo(Optional.of(Transport.COPIES));
    assertThat(speed.seconds()).hasSize(STEPS).allMatch(seconds -> seconds > 0);
    assertThat(speed.exposedMilliseconds()).containsOnlyKeys("world");
    assertThat(speed.mfu()).isPresent();
    assertThat(speed.rooflineUtilisation()).isPresent();
    assertThat(speed.tokensPerSecond())
        .isCloseTo(2 * speed.tokensPerSecondOfRank(), Percentage.withPercentage(1e-9));
    for (MeshStepSpeed.Rank rank : speed.ranks()) {
      long taken = rank.taken().orElseThrow().result().peakBytes();
      assertThat(rank.predictedBytes()).isEqualTo(taken);
      assertThat(rank.floorSeconds()).isPositive();
    }
    // The first stage keeps what the second has yet to work on.
    assertThat(speed.ranks().getFirst().predictedBytes())
        .isGreaterThan(speed.ranks().getLast().predictedBytes());
  }

  @Test
  void onMetaEachRankIsPredictedAndNothingElse() {
    MeshStepSpeed predicted = MeshStepSpeed.measure(job("pipeline=2", 2, "meta"), 0, STEPS);
    assertThat(predicted.isMeasured()).isFalse();
    assertThat(predicted.measured()).isEmpty();
    assertThat(predicted.ranks().stream().map(MeshStepSpeed.Rank::predicted))
        .isEqualTo(
            measured("pipeline=2", 2).ranks().stream().map(MeshStepSpeed.Rank::predicted).toList());
    ObjectNode report = Json.object();
    MeshStepReport.describe(predicted, report);
    assertThat(report.get(MeshStepReport.RANKS)).hasSize(2);
    assertThat(report.has("step_ms")).isFalse();
    assertThat(report.get("tokens_per_step").asLong()).isEqualTo(2 * 2 * 32);
  }

  @Test
  void theReportHasEveryRank() {
    ObjectNode report = Json.object();
    MeshStepReport.describe(measured("data=2", 1), report);
    assertThat(report.get("tokens_per_step").asLong()).isEqualTo(2 * 2 * 32);
    assertThat(report.get("collectives").asString()).isEqualTo("copies");
    assertThat(report.get("step_ms").asDouble())
        .isBetween(
            report.get("step_ms_fastest").asDouble(), report.get("step_ms_slowest").asDouble());
    assertThat(report.get(MeshStepReport.RANKS)).hasSize(2);
    report
        .get(MeshStepReport.RANKS)
        .forEach(
            rank -> {
              assertThat(rank.get("peak_bytes").asLong()).isPositive();
              assertThat(rank.get("predicted_peak_bytes").asLong()).isPositive();
              assertThat(rank.get("exposed_ms").has("world")).isTrue();
              assertThat(rank.has("driver_bytes")).isFalse(); // no card
            });
  }

  /** The same tokens on one rank and on meshes: the same experts, whoever has them. */
  @ParameterizedTest
  @ValueSource(strings = {"data=2", "data=2,expert=2", "tensor=2,expert=2", "pipeline=2"})
  void theLoadOfExpertsIsThatOfOneRank(String mesh) {
    int accumulation = mesh.startsWith("data") ? 1 : 2;
    ExpertLoad one = load("data=1", 2, KINDS);
    ExpertLoad load = load(mesh, accumulation, KINDS);
    assertThat(load.meanTokens()).isEqualTo(one.meanTokens()).isPositive();
    assertThat(load.mixtures()).hasSameSizeAs(one.mixtures()).isNotEmpty();
    for (int layer = 0; layer < load.mixtures().size(); layer++) {
      ExpertLoad.Mixture mixture = load.mixtures().get(layer);
      assertThat(mixture.expert()).isCloseTo(one.mixtures().get(layer).expert(), within(0.1));
      if (mesh.contains("expert")) {
        assertThat(mixture.rank()).isBetween(1.0, 2.0);
      } else {
        assertThat(mixture.rank()).isOne();
      }
    }
  }

  @Test
  void fewerKindsOfTokensMakeTheLoadMoreUneven() {
    assertThat(load("data=2,expert=2", 1, 4).largest())
        .isGreaterThan(1.5 * load("data=2,expert=2", 1, KINDS).largest());
  }

  @Test
  void theReportOfAModelWithExpertsHasTheirLoadAndThatOfADenseOneNone() {
    ObjectNode report = Json.object();
    MeshStepReport.describe(mixture("data=2,expert=2", 1, KINDS), report);
    assertThat(report.get("expert_load").get("largest_by_mean").asDouble()).isGreaterThan(1);
    assertThat(report.get("expert_load").get("busiest_rank_by_share").asDouble()).isPositive();
    ObjectNode dense = Json.object();
    MeshStepReport.describe(measured("data=2", 1), dense);
    assertThat(dense.has("expert_load")).isFalse();
  }

  private static ExpertLoad load(String mesh, int accumulation, int kinds) {
    return mixture(mesh, accumulation, kinds).expertLoad().orElseThrow();
  }

  private static MeshStepSpeed mixture(String mesh, int accumulation, int kinds) {
    return MeshStepSpeed.measure(job("tiny-moe", mesh, accumulation, "cpu", kinds), 0, 1);
  }

  @Test
  void aMeshThatTheModelDoesNotAdmitIsRefused() {
    assertThatThrownBy(() -> job("tensor=3", 1, "cpu"))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("heads do not divide");
  }

  private static MeshStepSpeed measured(String mesh, int accumulation) {
    return MeshStepSpeed.measure(job(mesh, accumulation, "cpu"), 0, STEPS);
  }

  private static MeshStepJob job(String mesh, int accumulation, String device) {
    return job("tiny-llama", mesh, accumulation, device, KINDS);
  }

  private static MeshStepJob job(
      String model, String mesh, int accumulation, String device, int kinds) {
    SingleDevice where = SingleDevice.parseForBenchmark(device);
    assertThat(where.device()).isEqualTo(device.equals("cpu") ? Device.CPU : Device.META);
    return MeshStepJob.of(
        new StepJob(
            ModelSource.config(model, Map.of()),
            Precision.FP32,
            Recompute.NONE,
            where,
            2,
            accumulation,
            32,
            1,
            StateForm.FULL,
            Offload.NONE,
            OffloadUpdate.DEVICE,
            1,
            false,
            kinds),
        MeshOption.parse(mesh),
        device);
  }
}
