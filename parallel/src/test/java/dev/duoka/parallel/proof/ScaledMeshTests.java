package dev.duoka.parallel.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.optimizer.AdamWSettings;
import dev.duoka.engine.precision.LossScaler;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.step.PipelineSettings;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.tensor.ComputeThread;
import dev.duoka.tensor.Device;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Products of 8 bits on a mesh. Where no product is cut, the mesh computes what one rank does.
 * Where a cut goes between blocks, weights have the codes that they have on one rank, and the mesh
 * is nearer to one rank than 8 bits are to 16. Where a cut would go through a block, that product
 * is one of 16 bits.
 */
class ScaledMeshTests {
  private static final int LENGTH = 256;
  private static final ModelConfig MODEL = model(512);

  private static Training.Outcome scaled;
  private static double ofScaling;

  private static ModelConfig model(int width) {
    String json =
        """
        {"model_type": "llama", "vocab_size": 256, "hidden_size": 256,
         "intermediate_size": %d, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 4, "max_position_embeddings": 512, "rms_norm_eps": 1e-6,
         "bos_token_id": 0, "eos_token_id": 1, "initializer_range": 0.02,
         "tie_word_embeddings": false}
        """
            .formatted(width);
    return ModelConfigReader.read(
        Json.parse(json.getBytes(StandardCharsets.UTF_8), "the test", ErrorCode.CONFIG),
        "the test");
  }

  private static Training.Outcome train(
      ModelConfig model, Precision precision, Mesh mesh, int zero, Recompute recompute) {
    StepSettings settings =
        new StepSettings(
                model,
                precision,
                recompute,
                LENGTH,
                new AdamWSettings(0.9, 0.95, 1e-8, 0.1, 1),
                zero,
                LossScaler.Settings.DEFAULT,
                new StepSettings.AuxiliaryLosses(0, 0, 0, false, 0))
            .with(PipelineSettings.DEFAULT);
    return new Training(settings, mesh, 1, 4 / mesh.data(), 1, 0)
        .run(
            rank ->
                LocalRanks.run(
                    mesh.size(),
                    world -> {
                      ComputeThread.prepare(Device.CPU, 1, world.size());
                      rank.accept(world, Device.CPU);
                    }));
  }

  private static Training.Outcome alone(ModelConfig model, Precision precision) {
    return train(model, precision, new Mesh(1, 1, 1, 1, 1, 1), 0, Recompute.NONE);
  }

  /** The largest, over all tensors, of how far two gradients are apart as a part of their size. */
  private static double apart(Training.Outcome one, Training.Outcome other) {
    double largest = 0;
    for (Map.Entry<String, double[]> entry : other.gradients().entrySet()) {
      double[] theirs = Objects.requireNonNull(one.gradients().get(entry.getKey()));
      double off = 0;
      double size = 0;
      for (int i = 0; i < theirs.length; i++) {
        off = Math.hypot(off, theirs[i] - entry.getValue()[i]);
        size = Math.hypot(size, entry.getValue()[i]);
      }
      largest = Math.max(largest, off / size);
    }
    return largest;
  }

  @BeforeAll
  static void trainOnOneRank() {
    scaled = alone(MODEL, Precision.FP8);
    ofScaling = apart(scaled, alone(MODEL, Precision.BF16));
    assertThat(ofScaling).as("8 bits differ from 16").isBetween(0.01, 0.5);
  }

  /** Weights that are gathered are put into 8 bits anew. */
  @ParameterizedTest
  @CsvSource({
    "1, 2, 0, NONE",
    "1, 2, 1, NONE",
    "1, 2, 2, NONE",
    "1, 2, 3, NONE",
    "1, 4, 3, FULL",
    "2, 1, 0, NONE",
    "2, 2, 3, SELECTIVE",
  })
  void whatCutsNoProductChangesNothing(int pipeline, int data, int zero, Recompute recompute) {
    Mesh mesh = new Mesh(pipeline, 1, data, 1, 1, 1);
    assertThat(apart(train(MODEL, Precision.FP8, mesh, zero, recompute), scaled)).isLessThan(1e-6);
  }

  /** Sums of 16 bits over ranks round otherwise, and a few codes of activations follow. */
  @ParameterizedTest
  @CsvSource({
    "1, 1, 2, 0, NONE",
    "1, 1, 2, 0, SELECTIVE",
    "2, 1, 2, 3, NONE",
    "1, 2, 1, 0, NONE",
  })
  void aCutBetweenBlocksKeepsTheCodesOfWeights(
      int data, int context, int tensor, int zero, Recompute recompute) {
    Mesh mesh = new Mesh(1, 1, data, context, tensor, 1);
    assertThat(apart(train(MODEL, Precision.FP8, mesh, zero, recompute), scaled))
        .isLessThan(0.75 * ofScaling);
  }

  /** The feed-forward width of a rank is 192: its products are of 16 bits, the others of 8. */
  @Test
  void aCutThroughABlockLeavesThatProductAtSixteenBits() {
    ModelConfig narrow = model(384);
    Training.Outcome one = alone(narrow, Precision.FP8);
    double all = apart(one, alone(narrow, Precision.BF16));
    Training.Outcome mesh =
        train(narrow, Precision.FP8, new Mesh(1, 1, 1, 1, 2, 1), 0, Recompute.NONE);
    assertThat(apart(mesh, one)).isBetween(all / 4, 1.5 * all);
    assertThat(apart(mesh, alone(narrow, Precision.BF16))).isLessThan(1.5 * all);
  }
}
