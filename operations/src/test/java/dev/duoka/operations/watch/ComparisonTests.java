package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.prediction.PredictedDevice;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** What a run measures is planted; what the comparison with its prediction finds is looked at. */
final class ComparisonTests {
  private static final long MIB = 1 << 20;
  private static final long GIB = 1 << 30;

  private final Map<String, Series> series = new TreeMap<>();
  private final SplittableRandom random = new SplittableRandom(5);

  private static PredictionFile predicted() {
    Prediction prediction =
        new Prediction(
            List.of(
                Map.of("weights", 100 * MIB, "activations", 300 * MIB),
                Map.of("weights", 100 * MIB, "activations", 300 * MIB)),
            List.of(new PredictedDevice("cpu", List.of(0, 1), Map.of("process", 400 * MIB))),
            Optional.of(
                new PredictedStep(
                    0.5, 0.4, 0.55, 0.3, Map.of("forward", 0.2), Map.of("data", 0.01), "a probe")),
            "");
    return new PredictionFile(prediction, "0".repeat(64), true);
  }

  private void add(String name, long step, double value) {
    series.computeIfAbsent(name, _ -> new Series()).add(step, value);
  }

  private void memory(double unknown) {
    for (int rank = 0; rank < 2; rank++) {
      add("rank_memory." + rank + ".weights", 1, 100 * MIB);
      add("rank_memory." + rank + ".activations", 1, 300 * MIB);
      add("rank_memory." + rank + ".driver_bytes", 1, 800 * MIB + 400 * MIB + 64 * MIB + unknown);
      add("rank_memory." + rank + ".heap_bytes", 1, 64 * MIB);
    }
  }

  /** Steps whose seconds vary by a tenth. */
  private void steps(long from, long to, double seconds) {
    for (long step = from; step <= to; step++) {
      add("seconds.total", step, seconds * (0.95 + 0.1 * random.nextDouble()));
    }
  }

  private List<String> found() {
    return Comparison.of(predicted(), series).findings().stream()
        .map(Comparison.Finding::kind)
        .toList();
  }

  @Test
  void aRunAsItWasPredictedHasNoFindings() {
    memory(30 * MIB);
    steps(1, 400, 0.5);
    add("exposed_seconds.data", 5, 0.02);
    Comparison comparison = Comparison.of(predicted(), series);
    assertThat(comparison.findings()).isEmpty();
    assertThat(comparison.rooflineUtilisation()).isCloseTo(0.6, within(0.04));
    assertThat(comparison.owners())
        .hasSize(4)
        .contains(new Comparison.Owner(1, "weights", 100 * MIB, 100 * MIB));
    assertThat(comparison.times())
        .contains(new Comparison.Time("group", "data", 0.01, 0.02))
        .anySatisfy(
            time -> {
              assertThat(time.kind()).isEqualTo("step");
              assertThat(time.measured()).isCloseTo(0.5, within(0.03));
            });
  }

  /** A planner knows what is computed, the run in which pass. */
  @Test
  void passesAreComparedWhereThePredictionHasOtherCauses() {
    PredictedStep step =
        new PredictedStep(
            0.5, 0.4, 0.6, 0.2, Map.of("gemm", 0.3, "optimizer", 0.1), Map.of("data", 0.1), "it");
    Prediction planned = new Prediction(List.of(), List.of(), Optional.of(step), "");
    for (int i = 1; i <= 10; i++) {
      add("seconds.forward", i, 0.15);
      add("seconds.backward", i, 0.3);
    }
    Comparison comparison =
        Comparison.of(new PredictionFile(planned, "0".repeat(64), true), series);
    assertThat(comparison.times())
        .anySatisfy(
            time -> {
              assertThat(time.name()).isEqualTo("passes");
              assertThat(time.predicted()).isCloseTo(0.4, within(1e-9));
              assertThat(time.measured()).isCloseTo(0.45, within(1e-9));
            });
    assertThat(Comparison.of(predicted(), series).times())
        .noneSatisfy(time -> assertThat(time.name()).isEqualTo("passes"));
  }

  @Test
  void aGibibyteThatNoLedgerKnowsIsFound() {
    memory(GIB);
    Comparison comparison = Comparison.of(predicted(), series);
    assertThat(comparison.devices().getFirst().unknown()).isEqualTo(GIB);
    assertThat(comparison.findings())
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.kind()).isEqualTo("unknown");
              assertThat(it.text()).isEqualTo("1.00 GiB on cpu are known to no ledger");
            });
  }

  @Test
  void aRankThatHoldsMoreThanWasPredictedIsFound() {
    memory(0);
    add("rank_memory.1.logits", 1, 100 * MIB);
    assertThat(Comparison.of(predicted(), series).findings())
        .extracting(Comparison.Finding::about)
        .containsExactly("rank 1");
  }

  @Test
  void stepsAFifthSlowerThanPredictedAreFound() {
    steps(1, 60, 0.6);
    assertThat(found()).containsExactly("beyond");
    series.clear();
    steps(1, 60, 0.52);
    assertThat(found()).isEmpty();
  }

  @Test
  void stepsThatBecomeAFifthSlowerAreFoundWithTheStep() {
    steps(1, 200, 0.4);
    steps(201, 300, 0.48);
    Comparison.Finding late = Comparison.of(predicted(), series).findings().getFirst();
    assertThat(late.kind()).isEqualTo("late");
    assertThat(late.about()).isEqualTo("step 201");
    assertThat(late.value()).isCloseTo(1.2, within(0.04));
  }

  @Test
  void oneSlowWindowAndASlowBeginningAreNoSlowdown() {
    steps(1, 40, 0.9);
    steps(41, 200, 0.5);
    steps(201, 210, 3);
    steps(211, 300, 0.5);
    assertThat(found()).isEmpty();
  }

  @Test
  void nothingMeasuredIsNoFinding() {
    assertThat(found()).isEmpty();
    add("seconds.total", 1, Double.NaN);
    assertThat(found()).isEmpty();
  }

  @Test
  void aChangedPredictionIsFound() {
    PredictionFile file = new PredictionFile(predicted().prediction(), "x", false);
    assertThat(Comparison.of(file, series).findings())
        .extracting(Comparison.Finding::kind)
        .containsExactly("changed");
  }
}
