package dev.duoka.train.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.model.WeightInitializer;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.StateSettings;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Elementwise;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A checkpoint of any layout goes on in any other, bit for bit. */
class LayoutChangeTests {
  @TempDir Path folder;

  /**
   * Meshes are pipeline/replicate/shard/context/tensor/expert, then ZeRO, stages a rank and, where
   * it is not 1, blocks in a bucket.
   */
  @ParameterizedTest
  @CsvSource({
    "tiny-llama, 1/1/1/1/1/1/0/1, 1/1/1/1/2/1/1/1",
    "tiny-llama, 2/1/2/1/2/1/3/2, 1/1/1/2/2/1/2/1",
    "tiny-llama, 1/1/1/1/4/1/1/1, 2/1/2/1/1/1/3/1",
    "tiny-v3, 2/1/2/1/2/4/2/1, 1/1/3/1/1/1/3/1",
    "tiny-v3, 1/1/4/1/1/2/1/1, 4/1/1/1/2/2/0/1",
    "tiny-moe, 1/2/2/1/1/2/1/1, 1/1/1/1/1/1/0/1",
    "tiny-v3 frozen, 2/1/2/1/1/2/3/1, 1/1/1/1/1/1/0/1",
    "tiny-v3 frozen, 1/1/1/1/1/1/0/1, 1/1/2/1/2/4/0/1",
    "tiny-llama frozen, 2/1/2/1/2/1/1/1, 1/2/2/1/1/1/3/1",
    "tiny-llama, 1/1/2/1/1/1/3/1, 1/1/2/1/1/1/3/1/2",
    "tiny-v3, 1/1/2/1/1/2/1/1/3, 2/1/2/1/2/4/2/1/2",
    "tiny-v3 frozen, 1/1/2/1/1/1/3/1/2, 1/1/1/1/1/1/0/1"
  })
  void theSameFiles(String preset, String first, String second) throws IOException {
    ModelConfig config = config(preset);
    save(config, first, null, folder.resolve("a"));
    Checkpoint checkpoint = new CheckpointStore(folder.resolve("a")).list().getFirst();
    save(config, second, checkpoint, folder.resolve("b"));
    Map<String, byte[]> before = files(checkpoint.folder());
    Map<String, byte[]> after =
        files(new CheckpointStore(folder.resolve("b")).list().getFirst().folder());
    assertThat(before.keySet()).contains("optimizer.safetensors", "model.safetensors");
    assertThat(after.keySet()).isEqualTo(before.keySet());
    before.forEach(
        (name, content) ->
            assertThat(after.getOrDefault(name, new byte[0])).as(name).isEqualTo(content));
  }

  /** A preset, of which the lower half and all routed experts are frozen if its name says so. */
  static ModelConfig config(String name) {
    String preset = name.replace(" frozen", "");
    ModelConfig config = Presets.named(preset);
    int modules = preset.equals("tiny-v3") ? 1 : 0;
    return config
        .with(Math.max(4, config.layers()), config.moe(), modules)
        .freezing(
            preset.equals(name)
                ? NamePatterns.NONE
                : new NamePatterns.Within(
                    List.of("embed_tokens", "layers[0:2]", "mlp.experts", "lm_head")));
  }

  private static void save(ModelConfig config, String layout, @Nullable Checkpoint from, Path run) {
    int[] numbers = Stream.of(layout.split("/")).mapToInt(Integer::parseInt).toArray();
    Mesh mesh = new Mesh(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
    StepSettings settings =
        new StepSettings(
                config,
                Precision.BF16,
                Recompute.NONE,
                16,
                new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
                numbers[6],
                LossScaler.Settings.DEFAULT,
                new StepSettings.AuxiliaryLosses(config.mtpModules(), 0.3, 0, false, 0))
            .with(
                new PipelineSettings(
                    numbers[7] > 1 ? PipelineKind.INTERLEAVED : PipelineKind.ONE_F_ONE_B,
                    numbers[7],
                    List.of()))
            .with(StateSettings.FULL.inBucketsOf(numbers.length > 8 ? numbers[8] : 1));
    List<String> problems = new ArrayList<>();
    try (CheckpointWriter writer =
        new CheckpointWriter(
            run,
            TokenizerFiles.of("bytes"),
            new RetentionPolicy(3, 0),
            event -> {
              if (event instanceof CheckpointEvent.SaveFailed) {
                problems.add(event.text());
              }
            })) {
      LocalRanks.run(
          mesh.size(),
          world -> {
            ComputeThread.prepare(Device.CPU, 1, world.size());
            try (TrainingRank rank = TrainingRank.allocate(mesh, world, Device.CPU, settings)) {
              if (from == null) {
                begin(rank);
              } else {
                try (CheckpointReader reader = CheckpointReader.open(from)) {
                  reader.restore(rank.model(), rank.optimizer());
                }
              }
              writer.save(world, rank.model(), rank.optimizer(), TestRank.state(3));
            }
          });
    }
    assertThat(problems).isEmpty();
  }

  /** Weights that every rank draws alike, and moments that differ from them. */
  private static void begin(TrainingRank rank) {
    rank.optimizer().fill(() -> WeightInitializer.initialize(rank.model(), 5));
    rank.optimizer()
        .slices()
        .forEach(
            slice -> {
              try (Scope _ = Scope.open()) {
                Tensor master = slice.states().master().read();
                Elementwise.addInPlace(
                    slice.states().firstMoment().values(), Elementwise.mul(master, 3));
                Elementwise.addInPlace(
                    slice.states().secondMoment().values(), Elementwise.mul(master, master));
              }
            });
    rank.optimizer().restoreSteps(3);
  }

  private static Map<String, byte[]> files(Path checkpoint) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> list = Files.list(checkpoint)) {
      for (Path file : list.toList()) {
        files.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }
}
