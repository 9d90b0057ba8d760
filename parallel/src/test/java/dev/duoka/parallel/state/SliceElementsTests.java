package dev.duoka.parallel.state;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.UpdateFactors;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.plan.StagePlan;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ElementRuns;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SliceElementsTests {
  @ParameterizedTest
  @CsvSource({"tiny-llama, 2, 1", "tiny-llama, 4, 1", "tiny-v3, 2, 1", "tiny-v3, 2, 2"})
  void theyAreThoseThatAPortionTakes(String preset, int tensor, int expert) {
    ModelConfig config = TinyRuns.config(preset);
    Mesh mesh = new Mesh(1, 1, 1, 1, tensor, expert);
    int shards = 3;
    for (int rank = 0; rank < tensor; rank++) {
      RankPlan plan = new RankPlan(mesh, rank, StagePlan.WHOLE, List.of(0));
      try (LanguageModel model =
          ModelFactory.create(
              config,
              new ModelFactory.Allocation(
                  Dtype.FLOAT64,
                  Device.CPU,
                  true,
                  8,
                  config.mtpModules(),
                  plan.part(
                      _ -> shards,
                      0,
                      StateSettings.FULL,
                      config.layers(),
                      _ -> UpdateFactors.ONE)))) {
        for (Bucket bucket : model.parameters().buckets()) {
          bucket.parameters().forEach(SliceElementsTests::number);
          double[] numbers = HostCopy.doubles(bucket.values());
          for (int shard = 0; shard < shards; shard++) {
            long offset = shard * bucket.shardLength();
            ElementRuns runs = SliceElements.of(bucket.parameters(), offset, bucket.shardLength());
            requireSame(bucket, numbers, offset, runs);
          }
        }
      }
    }
  }

  /** Gives each element its place in the whole weight. */
  private static void number(Parameter parameter) {
    long rows = parameter.spec().portion().rows();
    long columns = parameter.spec().portion().columns();
    double[] places =
        IntStream.range(0, Math.toIntExact(rows * columns)).asDoubleStream().toArray();
    try (Scope _ = Scope.open()) {
      Tensor whole = HostCopy.fromDoubles(places, Dtype.FLOAT64, Device.CPU, rows, columns);
      Tensors.zero(parameter.value());
      parameter.spec().portion().take(whole, 0, parameter.value());
    }
  }

  private static void requireSame(Bucket bucket, double[] numbers, long offset, ElementRuns runs) {
    for (Parameter parameter : bucket.parameters()) {
      long first = Math.max(parameter.offset(), offset);
      long end =
          Math.min(parameter.offset() + parameter.spec().elements(), offset + bucket.shardLength());
      for (long position = first; position < end; position++) {
        assertThat(runs.element(position - offset))
            .as("%s at %d", parameter, position - parameter.offset())
            .isEqualTo((long) numbers[Math.toIntExact(position)]);
      }
    }
  }
}
