package dev.duoka.measure.profile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.engine.autograd.FunctionObserver;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.Work;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.measure.kernel.DeviceRates;
import dev.duoka.measure.step.StepBenchmark;
import dev.duoka.measure.step.StepFloor;
import dev.duoka.measure.step.StepJob;
import dev.duoka.measure.step.StepSpeed;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.device.SingleDevice;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** All floors come from given rates: what a device really reaches is in no assertion. */
final class RooflineTests {
  private static final Offset<Double> ROUNDING = within(1e-9);

  /** Another time for each product, so that no two can be taken for each other. */
  private static final DeviceRates RATES =
      new DeviceRates(1e9, 1e8, product -> 1e-3 + (product.toString().hashCode() & 0xff) * 1e-4);

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, FP32, NONE", "tiny-llama, FP32, SELECTIVE", "tiny-llama, FP32, FULL",
    "tiny-llama, BF16, NONE", "tiny-llama, BF16, SELECTIVE", "tiny-llama, BF16, FULL",
    "tiny-v3, BF16, NONE", "tiny-v3, BF16, SELECTIVE", "tiny-v3, BF16, FULL"
  })
  void partsOfARealStepAddUpToTheFloorWithoutRecompute(
      String model, Precision precision, Recompute recompute) {
    double floor = StepFloor.of(job(model, precision, Recompute.NONE)).seconds(RATES);
    ProfiledSteps profiled = ProfiledSteps.run(job(model, precision, recompute), 1, () -> RATES);
    assertThat(profiled.speed().floorSeconds()).isEqualTo(floor).isPositive();
    assertThat(profiled.lines().stream().mapToDouble(StepProfile.Line::floorMilliseconds).sum())
        .isCloseTo(floor * 1e3, within(floor * 1e-6));
  }

  @ParameterizedTest
  @EnumSource(Recompute.class)
  void aBenchmarkAndAProfileOfOneStepHaveOneFloor(Recompute recompute) {
    StepJob job = job("tiny-llama", Precision.FP32, recompute);
    StepSpeed benchmark = StepSpeed.measure(job, 0, 1, () -> RATES);
    ProfiledSteps profile = ProfiledSteps.run(job, 1, () -> RATES);
    assertThat(benchmark.floorSeconds()).isEqualTo(profile.speed().floorSeconds());
    assertThat(benchmark.rooflineUtilisation().orElseThrow())
        .isCloseTo(benchmark.floorSeconds() / benchmark.seconds(), ROUNDING);
  }

  @Test
  void aStepWhosePartsRunAtTheRatesHasUtilisationOne() {
    StepJob job = job("tiny-v3", Precision.BF16, Recompute.NONE);
    AtTheRates ideal = new AtTheRates();
    StepBenchmark.Result result = StepBenchmark.run(job.on(Device.META, 0, 1), ideal);
    StepFloor floor = StepFloor.of(job);
    List<StepProfile.Line> lines = StepProfile.table(ideal.spans, 1, RATES, floor);
    assertThat(lines)
        .isNotEmpty()
        .allSatisfy(line -> assertThat(line.leverMilliseconds()).isCloseTo(0, ROUNDING));
    double seconds = ideal.now * 1e-3;
    StepSpeed speed = StepSpeed.of(job, result, seconds, floor.seconds(RATES));
    assertThat(speed.rooflineUtilisation().orElseThrow()).isCloseTo(1, ROUNDING);
  }

  /** A product of a part that took 5 ms: alone it took longer first, as the machine was busy. */
  @ParameterizedTest
  @CsvSource({"0.009 0.004, 4, false", "0.004, 4, false", "0.009 0.008 0.007 0.006, 6, true"})
  void aFloorAboveTheTimeIsMeasuredAgainAndElseInDoubt(
      String alone, double floor, boolean inDoubt) {
    Iterator<Double> times = Stream.of(alone.split(" ")).map(Double::valueOf).iterator();
    DeviceRates rates = new DeviceRates(1e9, 1e8, _ -> times.next());
    Product product =
        new Product(
            new ProductShape.Linear(Dtype.FLOAT32, false, 64, 32, 48),
            FunctionObserver.Phase.FORWARD);
    StepProfile.Span span =
        new StepProfile.Span(
            FunctionObserver.Phase.FORWARD, "linear", 0, 5, new Work(100, 1, product));
    StepFloor step = StepFloor.of(job("tiny-llama", Precision.FP32, Recompute.NONE));
    StepProfile.Line line = StepProfile.table(List.of(span), 1, rates, step).getFirst();
    assertThat(line.floorMilliseconds()).isCloseTo(floor, ROUNDING);
    assertThat(line.isFloorInDoubt()).isEqualTo(inDoubt);
    assertThat(times.hasNext()).as("measured no more often than it takes").isFalse();
  }

  /** Has each part take exactly its floor. */
  private static final class AtTheRates implements FunctionObserver {
    private final List<StepProfile.Span> spans = new ArrayList<>();
    private double now;

    @Override
    public void begin(Phase phase, String name) {}

    @Override
    public void end(Phase phase, String name, Work work) {
      double end = now + RATES.floor(work) * 1e3;
      spans.add(new StepProfile.Span(phase, name, now, end, work));
      now = end;
    }
  }

  private static StepJob job(String model, Precision precision, Recompute recompute) {
    return new StepJob(
        ModelSource.config(model, Map.of()),
        precision,
        recompute,
        SingleDevice.parse("cpu"),
        2,
        1,
        64,
        1,
        StateForm.FULL,
        Offload.NONE,
        OffloadUpdate.DEVICE,
        1,
        false,
        320);
  }
}
