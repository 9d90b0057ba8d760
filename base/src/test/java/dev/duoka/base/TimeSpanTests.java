package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TimeSpanTests {
  @ParameterizedTest
  @CsvSource({"0, 0:00", "59.4, 0:59", "59.6, 1:00", "3599, 59:59", "3600, 1:00 h", "9000, 2:30 h"})
  void printsMinutesAndFromAnHourOnHours(double seconds, String text) {
    assertThat(TimeSpan.text(seconds)).isEqualTo(text);
  }
}
