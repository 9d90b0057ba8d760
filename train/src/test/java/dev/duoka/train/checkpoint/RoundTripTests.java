package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.parameter.Bucket;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.layout.Precision;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.train.checkpoint.TestRank.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.node.ObjectNode;

/** What is saved is restored bit for bit, whatever ranks and ZeRO stages save and restore it. */
class RoundTripTests {
  private static final List<Layout> LAYOUTS =
      List.of(
          new Layout(1, 0),
          new Layout(1, 1),
          new Layout(2, 0),
          new Layout(2, 1),
          new Layout(3, 0),
          new Layout(3, 1));

  @TempDir Path run;

  static Stream<Arguments> saved() {
    return Stream.of(Precision.FP32, Precision.BF16)
        .flatMap(precision -> LAYOUTS.stream().map(layout -> Arguments.of(layout, precision)));
  }

  @ParameterizedTest
  @MethodSource("saved")
  void everyLayoutRestoresTheSameBits(Layout layout, Precision precision) {
    List<CheckpointEvent> events = new ArrayList<>();
    Checkpoint checkpoint = save(layout, precision, 42, Long.MAX_VALUE, events);
    assertThat(events).singleElement().isInstanceOf(CheckpointEvent.Saved.class);
    assertThat(new CheckpointStore(run).latestValid(events::add)).contains(checkpoint);
    for (Layout other : LAYOUTS) {
      restoreAndCompare(checkpoint, other, precision, 42);
    }
  }

  @Test
  void masterWeightsOutliveAChangeOfPrecision() {
    Checkpoint checkpoint =
        save(new Layout(2, 1), Precision.BF16, 3, Long.MAX_VALUE, new ArrayList<>());
    restoreAndCompare(checkpoint, new Layout(1, 0), Precision.FP32, 3);
    restoreAndCompare(checkpoint, new Layout(3, 1), Precision.FP16, 3);
  }

  @Test
  void bigModelsAreShardedFiles() {
    Checkpoint checkpoint = save(new Layout(2, 1), Precision.FP32, 5, 20_000, new ArrayList<>());
    assertThat(checkpoint.folder().resolve("model.safetensors.index.json")).exists();
    assertThat(checkpoint.folder().resolve("model.safetensors")).doesNotExist();
    restoreAndCompare(checkpoint, new Layout(3, 1), Precision.FP32, 5);
  }

  @Test
  void numbersOfTheStateSurvive() {
    Checkpoint checkpoint =
        save(new Layout(1, 0), Precision.FP32, 9, Long.MAX_VALUE, new ArrayList<>());
    try (CheckpointReader reader = CheckpointReader.open(checkpoint)) {
      assertThat(reader.state()).isEqualTo(TestRank.state(9));
      assertThat(reader.state().extras()).containsOnlyKeys("validation_loss");
      assertThat(reader.config()).isEqualTo(TestRank.config());
    }
  }

  @Test
  void optimizerGoesOnAsIfNothingHadHappened() {
    Checkpoint checkpoint =
        save(new Layout(2, 1), Precision.BF16, 6, Long.MAX_VALUE, new ArrayList<>());
    List<float[]> straight = new ArrayList<>();
    List<float[]> resumed = new ArrayList<>();
    updateTwice(straight, rank -> rank.fill(6));
    try (CheckpointReader reader = CheckpointReader.open(checkpoint)) {
      updateTwice(resumed, rank -> reader.restore(rank.model(), rank.optimizer()));
    }
    assertThat(resumed).hasSize(1);
    assertThat(resumed.getFirst()).isEqualTo(straight.getFirst());
  }

  @Test
  void anotherModelIsRefusedWithTheFirstDifference() {
    Checkpoint checkpoint =
        save(new Layout(1, 0), Precision.FP32, 1, Long.MAX_VALUE, new ArrayList<>());
    refused(checkpoint, json -> json.put("hidden_size", 28), "hidden_size 24", "28");
    refused(checkpoint, json -> json.put("n_routed_experts", 4), "n_routed_experts 8", "4");
    refused(checkpoint, json -> json.put("rope_theta", 5000.0), "rope_theta 10000.0", "5000.0");
    refused(
        checkpoint, json -> json.put("num_nextn_predict_layers", 0), "num_nextn_predict_layers 1");
  }

  private void refused(Checkpoint checkpoint, Consumer<ObjectNode> change, String... words) {
    ObjectNode json = ModelConfigWriter.json(TestRank.config());
    change.accept(json);
    ModelConfig config = ModelConfigReader.read(json, "changed");
    try (CheckpointReader reader = CheckpointReader.open(checkpoint);
        TestRank rank = TestRank.create(config, new SingleRank(), 0, Precision.FP32)) {
      assertThatThrownBy(() -> reader.restore(rank.model(), rank.optimizer()))
          .isInstanceOf(DuokaException.class)
          .hasMessageContainingAll(words)
          .hasMessageContaining("cannot go on from " + checkpoint.folder());
    }
  }

  @Test
  void folderHoldsTheseFiles() throws IOException {
    Checkpoint checkpoint =
        save(new Layout(1, 0), Precision.FP32, 1, Long.MAX_VALUE, new ArrayList<>());
    try (Stream<Path> files = Files.list(checkpoint.folder())) {
      assertThat(files.map(Path::getFileName).map(Path::toString))
          .containsExactlyInAnyOrder(
              "config.json",
              "manifest.json",
              "model.safetensors",
              "optimizer.safetensors",
              "state.json");
    }
    assertThat(checkpoint.folder().getFileName()).hasToString("step-00000001");
  }

  private Checkpoint save(
      Layout layout,
      Precision precision,
      long step,
      long shardBytes,
      List<CheckpointEvent> events) {
    CheckpointFolderWriter folders =
        new CheckpointFolderWriter(
            TokenizerFiles.of("bytes"), ProcessShare.ALONE, shardBytes, _ -> {});
    try (CheckpointWriter writer =
        new CheckpointWriter(run, new RetentionPolicy(1, 0), events::add, folders)) {
      LocalRanks.run(
          layout.ranks(),
          collectives -> {
            try (TestRank rank = TestRank.create(collectives, layout.zero(), precision)) {
              rank.fill(step);
              writer.save(collectives, rank.model(), rank.optimizer(), TestRank.state(step));
            }
          });
      writer.await();
      return writer.lastSaved().orElseThrow();
    }
  }

  private static void restoreAndCompare(
      Checkpoint checkpoint, Layout layout, Precision precision, long step) {
    try (CheckpointReader reader = CheckpointReader.open(checkpoint)) {
      LocalRanks.run(
          layout.ranks(),
          collectives -> {
            try (TestRank rank = TestRank.create(collectives, layout.zero(), precision)) {
              reader.restore(rank.model(), rank.optimizer());
              assertThat(rank.difference(step)).as("into %s", layout).isEmpty();
            }
          });
    }
  }

  private static void updateTwice(List<float[]> result, Consumer<TestRank> start) {
    LocalRanks.run(
        2,
        collectives -> {
          try (TestRank rank = TestRank.create(collectives, 1, Precision.BF16)) {
            start.accept(rank);
            for (int step = 0; step < 2; step++) {
              rank.model().parameters().resetGradients();
              double gradient = 0.25 * (step + 1) * (collectives.rank() + 1);
              rank.model()
                  .parameters()
                  .buckets()
                  .forEach(bucket -> Tensors.fill(bucket.gradients(), gradient));
              rank.model()
                  .parameters()
                  .parameters()
                  .forEach(parameter -> touch(parameter.gradient(), parameter));
              rank.optimizer().step(1e-2, 1);
            }
            if (collectives.rank() == 0) {
              try (Tensor whole =
                  Copies.concatenate(
                      0,
                      rank.model().parameters().buckets().stream()
                          .map(Bucket::values)
                          .toArray(Tensor[]::new))) {
                result.add(HostCopy.floats(whole));
              }
            }
          }
        });
  }

  /** Adds the gradient to itself, so that it counts as set. */
  private static void touch(Tensor gradient, Parameter parameter) {
    try (Tensor copy = Tensors.copyOf(gradient)) {
      parameter.addGradient(copy);
    }
  }
}
