package dev.duoka.measure.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.engine.autograd.Work;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.ThreadLedger;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

final class DeviceRatesTests {
  private static final ProductShape LINEAR =
      new ProductShape.Linear(Dtype.FLOAT32, false, 64, 32, 48);

  static Stream<Product> products() {
    Stream<Product> byPhase =
        Stream.of(
                LINEAR,
                new ProductShape.Linear(Dtype.BFLOAT16, false, 64, 32, 48),
                new ProductShape.Linear(Dtype.BFLOAT16, true, 128, 256, 128),
                new ProductShape.Grouped(Dtype.FLOAT32, 65, 32, 48, 4),
                new ProductShape.Grouped(Dtype.BFLOAT16, 65, 32, 48, 4))
            .flatMap(
                shape ->
                    Stream.of(Phase.FORWARD, Phase.INPUT_GRADIENTS, Phase.WEIGHT_GRADIENTS)
                        .map(phase -> new Product(shape, phase)));
    ProductShape attention = new ProductShape.Attention(Dtype.FLOAT32, 2, 4, 2, 160, 160, 16, 8);
    return Stream.concat(
        byPhase,
        Stream.of(
            new Product(new ProductShape.Head(Dtype.FLOAT32, 64, 32, 48, true), Phase.FORWARD),
            new Product(attention, Phase.FORWARD),
            new Product(attention, Phase.INPUT_GRADIENTS)));
  }

  @ParameterizedTest
  @MethodSource("products")
  void everyProductOfAStepCanBeMeasuredAlone(Product product) {
    long before = MemoryLedger.of(Device.CPU).liveBytes();
    assertThat(new ProductTimer(Device.CPU).seconds(product)).isPositive().isFinite();
    assertThat(MemoryLedger.of(Device.CPU).liveBytes()).isEqualTo(before);
  }

  /**
   * What meets the keys of all ranks of a ring is timed with its own, as often as there are such.
   */
  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"FORWARD", "INPUT_GRADIENTS"})
  void attentionToAMultipleOfItsKeysIsTimedAsWhatItIsMadeOf(Phase phase) {
    ProductShape.Attention own = new ProductShape.Attention(Dtype.FLOAT32, 1, 2, 2, 64, 64, 16, 16);
    assertThat(peak(new Product(own.withKeys(64 * 64), phase)))
        .isPositive()
        .as("no tensor of all keys is made")
        .isEqualTo(peak(new Product(own, phase)));
  }

  private static long peak(Product product) {
    try (ThreadLedger mine = ThreadLedger.open(Device.CPU)) {
      assertThat(new ProductTimer(Device.CPU).seconds(product)).isPositive();
      return mine.ledger().peakByOwner().values().stream().mapToLong(Long::longValue).sum();
    }
  }

  @Test
  void anUpdateHasNoProduct() {
    assertThatThrownBy(
            () -> new ProductTimer(Device.CPU).seconds(new Product(LINEAR, Phase.UPDATE)))
        .hasMessageContaining("UPDATE");
  }

  @Test
  void aProductThatIsMeasuredAgainHasTheFasterTime() {
    Iterator<Double> times = List.of(7.0, 9.0, 3.0).iterator();
    DeviceRates rates = new DeviceRates(1, 1, _ -> times.next());
    Work work = new Work(100, 1, new Product(LINEAR, Phase.FORWARD));
    assertThat(rates.floor(work)).isEqualTo(7);
    rates.again(work);
    assertThat(rates.floor(work)).isEqualTo(7);
    rates.again(work);
    assertThat(rates.floor(work)).isEqualTo(3);
    rates.again(new Work(100, 1)); // its rate is that of the device
    assertThat(times.hasNext()).isFalse();
  }

  @Test
  void aProductIsMeasuredOnceAndADeviceOnceInAProcess() {
    List<Product> asked = new ArrayList<>();
    DeviceRates rates =
        new DeviceRates(
            1,
            1,
            product -> {
              asked.add(product);
              return 7;
            });
    Product forward = new Product(LINEAR, Phase.FORWARD);
    Product gradients = new Product(LINEAR, Phase.INPUT_GRADIENTS);
    for (Product product : List.of(forward, gradients, forward, gradients)) {
      assertThat(rates.floor(new Work(100, 1, product))).isEqualTo(7);
    }
    assertThat(asked).containsExactly(forward, gradients);
    assertThat(rates.floor(new Work(100, 1))).isEqualTo(100);
    assertThat(DeviceRates.calibrate(Device.CPU, Dtype.FLOAT32))
        .isSameAs(DeviceRates.calibrate(Device.CPU, Dtype.FLOAT32));
  }
}
