package dev.duoka.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import java.util.Map;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

class LanguageModelTests {
  static final List<String> PRESETS = TinyModel.PRESETS;
  private static final Device DEVICE = TestDevice.current();

  @ParameterizedTest
  @FieldSource("PRESETS")
  void startsUndecidedAndTrainsEveryWeight(String preset) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (TinyModel tiny = new TinyModel(preset, DEVICE)) {
      Map<String, double[]> results = tiny.train(Recompute.NONE, 4, 40);
      double undecided = Math.log(tiny.model().config().vocabSize());
      assertThat(results.getOrDefault("loss", new double[1])[0])
          .isCloseTo(undecided, Offset.offset(0.15));
      assertThat(results.containsKey("further loss")).isEqualTo(preset.equals("tiny-v3"));
      for (Parameter parameter : tiny.model().parameters().parameters()) {
        double[] gradient = results.getOrDefault(parameter.name(), new double[0]);
        assertThat(gradient).as(parameter.name()).hasSize((int) parameter.spec().elements());
        assertThat(gradient).as(parameter.name()).doesNotContain(Double.NaN);
        assertEveryPartIsTrained(parameter.name(), parameter.spec().shape(), gradient);
      }
    }
    before.assertUnchanged();
  }

  /** Every row of a matrix, and so every expert, has a gradient; a norm at least somewhere. */
  private static void assertEveryPartIsTrained(String name, List<Long> shape, double[] gradient) {
    int width = Math.toIntExact(shape.getLast());
    boolean vocabulary = name.contains("embed_tokens"); // not every token occurs
    for (int start = 0; start < gradient.length; start += width) {
      double sum = 0;
      for (int i = start; i < start + width; i++) {
        sum += Math.abs(gradient[i]);
      }
      if (!vocabulary) {
        assertThat(sum).as(name + " from " + start).isPositive();
      }
    }
  }

  @ParameterizedTest
  @FieldSource("PRESETS")
  void hasTheWeightsThatTheFormulaCounts(String preset) {
    ModelConfig config = TinyModel.config(preset);
    ParameterCounts counts = ParameterCounts.of(config);
    assertThat(elements(config, 0)).isEqualTo(counts.total());
    assertThat(elements(config, config.mtpModules())).isEqualTo(counts.totalWithMtp());
  }

  static long elements(ModelConfig config, int predictionDepth) {
    ModelFactory.Allocation allocation =
        new ModelFactory.Allocation(Dtype.BFLOAT16, Device.META, false, 16, predictionDepth);
    try (LanguageModel model = ModelFactory.create(config, allocation)) {
      assertThat(model.weights().stream().flatMap(w -> w.checkpointTensors().stream()))
          .extracting(t -> t.name())
          .doesNotHaveDuplicates();
      assertThat(
              model.weights().stream()
                  .flatMap(weight -> weight.checkpointTensors().stream())
                  .mapToLong(tensor -> tensor.elements())
                  .sum())
          .isEqualTo(model.parameters().elements());
      return model.parameters().elements();
    }
  }
}
