package dev.duoka.planner.layout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.hardware.Catalogue;
import dev.duoka.layout.Precision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Precisions against the number formats of the catalogue. */
final class ProductFormatTests {
  @ParameterizedTest
  @EnumSource(value = Precision.class, mode = EnumSource.Mode.EXCLUDE, names = "FP64") // no card's
  void aPrecisionIsNamedByTheFormatOfItsProducts(Precision precision) {
    assertThat(ProductFormat.of(precision)).hasToString(precision.toString());
  }

  @Test
  void cardsWithoutBf16TrainInFp16() {
    Catalogue catalogue = Catalogue.builtIn();
    assertThat(ProductFormat.halfPrecision(catalogue.card("V100"))).isEqualTo(Precision.FP16);
    assertThat(ProductFormat.halfPrecision(catalogue.card("H100"))).isEqualTo(Precision.BF16);
  }
}
