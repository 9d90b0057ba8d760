package dev.duoka.planner;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.shape.ModelShape;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/**
 * Step times and peaks of allocated memory that SimuMax publishes for Megatron runs on 8 B200:
 * MooreThreads/SimuMax, docs/b200/b200_release_v1.2_summary.md at 1b8ca90, 43 cases. Micro-batches
 * of one sequence, fused loss, ZeRO 1, fp32 main gradients, no recompute, balanced routing.
 */
public final class PublishedRuns {
  /** One published run. */
  public record Run(
      String model,
      int tensor,
      int pipeline,
      int data,
      int expert,
      int context,
      int sequenceLength,
      int microBatches,
      double milliseconds,
      double allocatedGib) {

    /** The model's shape. */
    public ModelShape shape() {
      return ModelShape.of(config(model));
    }

    /** The layout it ran with. */
    public Layout layout() {
      return new Layout(
          data,
          tensor,
          pipeline,
          expert,
          context,
          1,
          1,
          microBatches,
          Recompute.NONE,
          Offload.NONE,
          LossKind.FUSED,
          Precision.BF16,
          Method.FULL);
    }

    /** The job of a step. */
    public Job job() {
      return new Job(sequenceLength, (long) sequenceLength * data * microBatches, 1);
    }

    @Override
    public String toString() {
      return model
          + " tp"
          + tensor
          + " pp"
          + pipeline
          + " dp"
          + data
          + " ep"
          + expert
          + " cp"
          + context
          + " s"
          + sequenceLength
          + " m"
          + microBatches;
    }
  }

  private static final String TABLE =
      """
      70b  1 2 4 1 1 4096   4   843.0  66.55
      70b  2 1 4 1 1 4096   4   725.5  60.68
      70b  4 1 2 1 1 4096   4   409.8  39.07
      70b  8 1 1 1 1 4096   4   280.9  28.29
      v2   1 1 8 8 1 4096   4   366.6  45.63
      v2   1 2 4 4 1 4096   4   282.1  44.70
      v3   1 1 8 8 1 4096   4   603.2  104.30
      v3   1 2 4 4 1 4096   4   452.2  114.00
      70b  1 2 4 1 1 4096   8   1476.8 66.55
      70b  2 1 4 1 1 4096   8   1387.0 60.68
      70b  4 1 2 1 1 4096   8   765.6  39.07
      70b  8 1 1 1 1 4096   8   556.7  28.29
      v2   1 1 8 8 1 4096   8   676.2  45.63
      v2   1 2 4 4 1 4096   8   492.6  44.70
      v3   1 1 8 8 1 4096   8   1101.7 104.30
      v3   1 2 4 4 1 4096   8   771.6  114.00
      70b  1 2 4 1 1 4096   32  5436.5 66.55
      70b  2 1 4 1 1 4096   32  5376.5 60.68
      70b  4 1 2 1 1 4096   32  2964.6 39.07
      70b  8 1 1 1 1 4096   32  2073.7 28.29
      v2   1 1 8 8 1 4096   32  2721.3 45.63
      v2   1 2 4 4 1 4096   32  1727.7 44.70
      v3   1 1 8 8 1 4096   32  4141.2 104.30
      v3   1 2 4 4 1 4096   32  2718.6 114.00
      405b 1 2 4 1 1 4096   4   1074.6 87.08
      405b 2 1 4 1 1 4096   4   907.3  81.59
      405b 4 1 2 1 1 4096   4   476.0  52.89
      405b 8 1 1 1 1 4096   4   258.8  38.57
      405b 1 2 4 1 1 4096   8   1935.4 87.08
      405b 2 1 4 1 1 4096   8   1716.8 81.59
      405b 4 1 2 1 1 4096   8   899.6  52.89
      405b 8 1 1 1 1 4096   8   488.1  38.57
      405b 1 2 4 1 1 4096   32  7046.4 87.08
      405b 2 1 4 1 1 4096   32  6604.1 81.59
      405b 4 1 2 1 1 4096   32  3455.4 52.89
      405b 8 1 1 1 1 4096   32  1901.8 38.57
      70b  2 1 1 1 4 32768  4   1758.0 68.43
      70b  1 1 1 1 8 32768  4   1768.1 104.51
      405b 2 1 1 1 4 32768  4   1984.7 87.03
      405b 1 1 1 1 8 32768  4   2003.6 139.22
      70b  2 1 1 1 4 131072 4   11315.7 112.67
      70b  1 1 1 1 8 131072 4   11301.9 147.99
      405b 2 1 1 1 4 131072 4   10577.6 118.13
      """;

  private PublishedRuns() {}

  /** All of them. */
  public static List<Run> all() {
    List<Run> runs = new ArrayList<>();
    for (String line : TABLE.lines().toList()) {
      String[] f = line.strip().split("\\s+");
      runs.add(
          new Run(
              f[0],
              Integer.parseInt(f[1]),
              Integer.parseInt(f[2]),
              Integer.parseInt(f[3]),
              Integer.parseInt(f[4]),
              Integer.parseInt(f[5]),
              Integer.parseInt(f[6]),
              Integer.parseInt(f[7]),
              Double.parseDouble(f[8]),
              Double.parseDouble(f[9])));
    }
    return runs;
  }

  /**
   * The models of these runs: Llama-3's widths, and DeepSeek's cut to one dense layer and three.
   */
  public static ModelConfig config(String model) {
    return switch (model) {
      case "70b" -> llama(8192, 12, 64, 8, 28672, 128256);
      case "405b" -> llama(16384, 4, 128, 8, 53248, 128256);
      case "v2" -> cut("deepseek-v2");
      case "v3" -> cut("deepseek-v3");
      default -> throw new IllegalArgumentException(model);
    };
  }

  /** A dense model of Llama's kind. */
  public static ModelConfig llama(
      int hidden, int layers, int heads, int kvHeads, int width, int vocabulary) {
    String json =
        String.format(
            java.util.Locale.ROOT,
            """
            {"model_type": "llama", "hidden_size": %d, "num_hidden_layers": %d,
             "num_attention_heads": %d, "num_key_value_heads": %d, "intermediate_size": %d,
             "vocab_size": %d, "max_position_embeddings": 131072, "bos_token_id": 1,
             "eos_token_id": 2}
            """,
            hidden,
            layers,
            heads,
            kvHeads,
            width,
            vocabulary);
    return ModelConfigReader.read(
        Json.parse(json.getBytes(StandardCharsets.UTF_8), "llama", ErrorCode.CONFIG), "llama");
  }

  private static ModelConfig cut(String preset) {
    ObjectNode json = (ObjectNode) Presets.json(preset).deepCopy();
    json.put("num_hidden_layers", 4);
    json.put("first_k_dense_replace", 1);
    json.put("num_nextn_predict_layers", 0);
    return ModelConfigReader.read(json, preset);
  }
}
