package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ErrorReportTests {
  @ParameterizedTest
  @CsvSource({
    "cannot read x. Check it, cannot read x. Check it.",
    "cannot read x. Check it., cannot read x. Check it.",
    "is it there?, is it there?",
    "Set micro_batch: {a: 1}, Set micro_batch: {a: 1}.",
    "'', ''"
  })
  void aMessageEndsWithAFullStop(String message, String shown) {
    assertThat(ErrorReport.sentence(message)).isEqualTo(shown);
  }
}
