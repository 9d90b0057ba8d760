package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteSizeTests {
  @ParameterizedTest
  @CsvSource({"0B, 0", "100B, 100", "16KiB, 16384", "1MiB, 1048576", "64GiB, 68719476736"})
  void aWholeNumberOfAUnitIsRead(String text, long bytes) {
    assertThat(ByteSize.parse(text)).hasValue(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "16", "KiB", "1.5MiB", "-1B", "1MB", "1 MiB", "9999999B", "1TiB"})
  void whatIsNoneIsNotRead(String text) {
    assertThat(ByteSize.parse(text)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"0, 0 B", "1023, 1023 B", "1536, 1.50 KiB", "68719476736, 64.00 GiB"})
  void bytesArePrinted(long bytes, String text) {
    assertThat(ByteSize.text(bytes)).isEqualTo(text);
  }
}
