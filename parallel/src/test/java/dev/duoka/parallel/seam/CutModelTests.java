package dev.duoka.parallel.seam;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.data.batch.MicroBatch;
import dev.duoka.engine.parameter.BucketKey;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.parallel.schedule.PipelineSchedules;
import dev.duoka.parallel.schedule.Schedule;
import dev.duoka.parallel.testing.TinyRuns;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.testing.LedgerSnapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A model cut in two through the seams alone trains as the whole one does. */
class CutModelTests {
  private static final int STEPS = 4;
  private static final int MICRO_BATCHES = 4;
  private static final int SEQUENCES = 2;
  private static final double TARGETS = (double) MICRO_BATCHES * SEQUENCES * TinyRuns.LENGTH;

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, NONE",
    "tiny-llama, FULL",
    "tiny-v2, SELECTIVE",
    "tiny-moe, NONE",
    "tiny-v3, FULL"
  })
  void tensorTwo(String preset, Recompute recompute) {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    ModelConfig config = config(preset);
    List<Double> whole = wholeModel(config);
    Map<Integer, List<Double>> losses = new ConcurrentHashMap<>();
    LocalRanks.run(
        2,
        group -> {
          TensorCut cut = new TensorCut(group);
          ModelFactory.Part part =
              new ModelFactory.Part(BlockRange.ALL, cut::part, _ -> BucketKey.ONE_GROUP);
          losses.put(group.rank(), cutInTwo(config, part, recompute, cut));
        });
    for (int rank = 0; rank < 2; rank++) {
      assertClose(losses.getOrDefault(rank, List.of()), whole);
    }
    before.assertUnchanged();
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-llama, NONE, all forward",
    "tiny-llama, FULL, one forward one backward",
    "tiny-llama, SELECTIVE, zero bubble",
    "tiny-v2, SELECTIVE, one forward one backward",
    "tiny-moe, NONE, zero bubble",
    "tiny-v3, FULL, zero bubble",
    "tiny-v3, FULL, all forward"
  })
  void twoStages(String preset, Recompute recompute, String schedule) {
    LedgerSnapshot before = LedgerSnapshot.of(Device.CPU);
    ModelConfig config = config(preset);
    List<Double> whole = wholeModel(config);
    int border = BlockRange.ofLayer(config.layers() / 2);
    List<Double> losses = new ArrayList<>();
    LocalRanks.run(
        2,
        pipeline -> {
          int stage = pipeline.rank();
          BlockRange blocks =
              stage == 0 ? new BlockRange(0, border) : new BlockRange(border, Integer.MAX_VALUE);
          List<Double> ofStage = stage(config, blocks, recompute, schedule(schedule), pipeline);
          if (stage == 1) {
            losses.addAll(ofStage);
          }
        });
    // Nothing is added in another order: the same bits.
    assertThat(losses).isEqualTo(whole);
    before.assertUnchanged();
  }

  private static Schedule schedule(String name) {
    return switch (name) {
      case "all forward" -> PipelineSchedules.allForwardAllBackward(2, MICRO_BATCHES);
      case "one forward one backward" -> PipelineSchedules.oneForwardOneBackward(2, MICRO_BATCHES);
      case "zero bubble" -> PipelineSchedules.zeroBubble(2, MICRO_BATCHES);
      default -> throw new IllegalArgumentException(name);
    };
  }

  private static List<Double> stage(
      ModelConfig config,
      BlockRange blocks,
      Recompute recompute,
      Schedule schedule,
      Communicator pipeline) {
    ComputeThread.prepare(Device.CPU, 1, 2);
    ModelFactory.Part part =
        new ModelFactory.Part(blocks, UnaryOperator.identity(), _ -> BucketKey.ONE_GROUP);
    List<Double> losses = new ArrayList<>();
    try (LanguageModel whole = wholeWeights(config);
        Replica replica = new Replica(config, part, pipeline, recompute, TARGETS)) {
      for (Parameter parameter : replica.model().parameters().parameters()) {
        Copies.into(parameter.value(), whole.parameters().parameter(parameter.name()).value());
      }
      replica.adopt();
      for (int step = 0; step < STEPS; step++) {
        losses.add(replica.step(schedule.ranks().get(pipeline.rank()), batches(config, step)));
      }
    }
    return losses;
  }

  private static List<Double> cutInTwo(
      ModelConfig config, ModelFactory.Part part, Recompute recompute, TensorCut cut) {
    ComputeThread.prepare(Device.CPU, 1, 2);
    List<Double> losses = new ArrayList<>();
    try (LanguageModel whole = wholeWeights(config);
        Replica replica =
            new Replica(config, part, new SingleRank("pipeline"), recompute, TARGETS)) {
      replica.substituteWith(cut);
      try (Scope _ = Scope.open()) {
        for (Parameter parameter : replica.model().parameters().parameters()) {
          cut.copyPart(whole.parameters().parameter(parameter.name()), parameter);
        }
      }
      replica.adopt();
      for (int step = 0; step < STEPS; step++) {
        losses.add(
            replica.step(
                Schedule.withoutPipeline(MICRO_BATCHES).ranks().getFirst(), batches(config, step)));
      }
    }
    return losses;
  }

  private static List<Double> wholeModel(ModelConfig config) {
    ComputeThread.prepare(Device.CPU, 1, 1);
    List<Double> losses = new ArrayList<>();
    try (Replica replica =
        new Replica(
            config, ModelFactory.Part.WHOLE, new SingleRank("pipeline"), Recompute.NONE, TARGETS)) {
      WeightInitializer.initialize(replica.model(), 7);
      replica.adopt();
      for (int step = 0; step < STEPS; step++) {
        losses.add(
            replica.step(
                Schedule.withoutPipeline(MICRO_BATCHES).ranks().getFirst(), batches(config, step)));
      }
    }
    assertThat(losses.get(2)).as("of the same tokens again").isLessThan(losses.get(0));
    return losses;
  }

  private static LanguageModel wholeWeights(ModelConfig config) {
    LanguageModel model =
        ModelFactory.create(
            config,
            new ModelFactory.Allocation(Dtype.FLOAT32, Device.CPU, 1, false, TinyRuns.LENGTH, 0));
    WeightInitializer.initialize(model, 7);
    return model;
  }

  /** The same few sequences again and again, so that the loss falls. */
  private static List<MicroBatch> batches(ModelConfig config, int step) {
    return TinyRuns.batch(config, 0, 1, MICRO_BATCHES, SEQUENCES, step % 2).microBatches();
  }

  private static ModelConfig config(String preset) {
    ModelConfig config = TinyRuns.config(preset);
    return TinyRuns.withLayers(config, Math.max(2, config.layers()), 0);
  }

  private static void assertClose(List<Double> losses, List<Double> expected) {
    assertThat(losses).hasSameSizeAs(expected);
    for (int i = 0; i < losses.size(); i++) {
      assertThat(losses.get(i))
          .as("step %d", i)
          .isCloseTo(expected.get(i), Percentage.withPercentage(1e-4));
    }
  }
}
