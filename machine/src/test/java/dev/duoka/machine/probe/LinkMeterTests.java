package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.nvml.Traffic;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rates between readings of counters. */
final class LinkMeterTests {
  private Optional<Traffic> counters = Optional.of(new Traffic(1000, 5000));
  private long nanos = 7;
  private final LinkMeter meter = new LinkMeter(() -> counters, () -> nanos);

  private Optional<LinkRate> later(@Nullable Traffic traffic) {
    counters = Optional.ofNullable(traffic);
    nanos += 2_000_000_000L;
    return meter.rate();
  }

  @Test
  void aRateIsBetweenTwoReadings() {
    assertThat(meter.rate()).isEmpty();
    assertThat(later(new Traffic(3000, 5000))).contains(new LinkRate(1000, 0));
    assertThat(later(new Traffic(3000, 6000))).contains(new LinkRate(0, 500));
  }

  @Test
  void aCounterThatBeginsAnewHasNoRate() {
    meter.rate();
    assertThat(later(new Traffic(10, 5000))).isEmpty();
    assertThat(later(new Traffic(30, 5000))).contains(new LinkRate(10, 0));
  }

  @Test
  void withoutCountersThereIsNoRate() {
    meter.rate();
    assertThat(later(null)).isEmpty();
    assertThat(later(new Traffic(9000, 9000))).isEmpty();
  }
}
