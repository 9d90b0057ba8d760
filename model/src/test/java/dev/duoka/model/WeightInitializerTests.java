package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class WeightInitializerTests {
  @Test
  void isAFunctionOfSeedAndName() {
    try (TinyModel first = new TinyModel("tiny-v3", TestDevice.current());
        TinyModel second = new TinyModel("tiny-v3", TestDevice.current())) {
      double[] expected = values(first);
      assertThat(values(second)).isEqualTo(expected);
      WeightInitializer.initialize(second.model(), 8);
      assertThat(values(second)).isNotEqualTo(expected);
      WeightInitializer.initialize(second.model(), 7);
      assertThat(values(second)).isEqualTo(expected);
    }
  }

  private static double[] values(TinyModel tiny) {
    return tiny.model().parameters().buckets().stream()
        .flatMapToDouble(bucket -> Arrays.stream(HostCopy.doubles(bucket.values())))
        .toArray();
  }

  @Test
  void matricesAreNormalAndScalesOne() {
    try (TinyModel tiny = new TinyModel("tiny-v3", TestDevice.current())) {
      double deviation = tiny.model().config().initializerRange();
      for (Parameter parameter : tiny.model().parameters().parameters()) {
        double[] values = HostCopy.doubles(parameter.value());
        if (parameter.name().contains("norm.")) {
          assertThat(values).as(parameter.name()).containsOnly(1);
          continue;
        }
        double sum = 0;
        double squares = 0;
        for (double value : values) {
          sum += value;
          squares += value * value;
        }
        double error = 5 / Math.sqrt(values.length);
        assertThat(sum / values.length / deviation)
            .as(parameter.name())
            .isCloseTo(0, Offset.offset(error));
        assertThat(Math.sqrt(squares / values.length) / deviation)
            .as(parameter.name())
            .isCloseTo(1, Offset.offset(error));
      }
    }
  }
}
