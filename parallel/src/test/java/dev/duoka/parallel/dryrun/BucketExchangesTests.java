package dev.duoka.parallel.dryrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Exchange;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.testing.TinyRuns;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers that share a bucket are exchanged at once, and no more often than they are needed. */
class BucketExchangesTests {
  private static final int LAYERS = 6;

  private static List<Exchange> ofLayers(String what, int data, int tensor, int zero, int blocks) {
    StepSettings settings =
        TinyRuns.settings(
                TinyRuns.withLayers(TinyRuns.config("tiny-llama"), LAYERS, 0),
                Precision.FP32,
                Recompute.NONE,
                zero)
            .with(StateSettings.FULL.inBucketsOf(blocks));
    Mesh mesh = new Mesh(1, 1, data, 1, tensor, 1);
    return DryRun.unrolled(new DryRunJob(settings, mesh, 0, 2, 1)).exchanges().stream()
        .filter(exchange -> exchange.purpose().startsWith(what + " of model.layers."))
        .toList();
  }

  @ParameterizedTest
  @CsvSource({"0, 1, 6", "0, 2, 3", "1, 4, 2", "2, 6, 1", "3, 8, 1"})
  void gradientsOfABucketAreSummedAtOnce(int zero, int blocks, int exchanges) {
    List<Exchange> sums = ofLayers("gradients", 2, 1, zero, blocks);
    assertThat(sums).hasSize(exchanges);
    assertThat(sums.stream().mapToLong(Exchange::elements).sum())
        .isEqualTo(
            ofLayers("gradients", 2, 1, zero, 1).stream().mapToLong(Exchange::elements).sum());
  }

  @Test
  void theyAreNamedByTheirLayers() {
    assertThat(ofLayers("gradients", 2, 1, 0, 4))
        .extracting(Exchange::purpose)
        .containsExactly("gradients of model.layers.4 to 5", "gradients of model.layers.0 to 3");
  }

  /** Also where a block has several buckets, of which one is wanted before the other. */
  @ParameterizedTest
  @CsvSource({"1, 1, 6", "1, 3, 2", "2, 1, 12", "2, 2, 6"})
  void weightsAreGatheredOnceForEachPass(int tensor, int blocks, int buckets) {
    Map<String, Long> times =
        ofLayers("weights", 2, tensor, 3, blocks).stream()
            .collect(
                Collectors.groupingBy(
                    exchange -> exchange.group().name() + exchange.purpose(),
                    Collectors.counting()));
    assertThat(times).hasSize(buckets);
    assertThat(times.values()).containsOnly(2L);
  }
}
