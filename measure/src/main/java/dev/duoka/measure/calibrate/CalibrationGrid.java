package dev.duoka.measure.calibrate;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.measure.kernel.KernelBenchmark;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.config.ModelSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which sizes are measured. Sides grow by four from sample to sample: between them rates are
 * interpolated.
 *
 * @param dtype of plain products, groups and attention
 * @param rows tokens of a product
 * @param widths of its input
 * @param outputs widths of its output
 * @param groups of grouped products
 * @param rowsOfGroup rows of one group
 * @param groupWidths widths of inputs and outputs of grouped products
 * @param heads of all sequences of an attention
 * @param lengths of its sequences
 * @param headWidths pairs of a head's width and its value's width
 * @param networks that have each kind of function once
 * @param steps of these, the smallest first
 * @param kernels what kernels that are bound by memory run on
 * @param exchanges bytes of an exchange
 * @param weights that the host updates
 * @param fileBytes written to the disk
 */
record CalibrationGrid(
    Dtype dtype,
    List<Long> rows,
    List<Long> widths,
    List<Long> outputs,
    List<Integer> groups,
    List<Long> rowsOfGroup,
    List<Long> groupWidths,
    List<Long> heads,
    List<Long> lengths,
    List<List<Long>> headWidths,
    List<ModelConfig> networks,
    List<StepSize> steps,
    KernelBenchmark.Sizes kernels,
    List<Long> exchanges,
    int weights,
    long fileBytes) {
  /**
   * The size of a step.
   *
   * @param batch sequences
   * @param length tokens in each
   * @param warmUp steps after which a card's clock has settled
   */
  record StepSize(int batch, int length, int warmUp) {}

  private static final long KIB = 1 << 10;
  private static final long MIB = 1 << 20;

  private static final KernelBenchmark.Sizes KERNELS =
      new KernelBenchmark.Sizes(16384, 4096, 8192, 102_400, 32, 128, 128, 64, 128, 64, 6, 1408);

  /** For GPUs: sizes that models of 1 to 70 billion weights train with. */
  private static final CalibrationGrid GPU =
      new CalibrationGrid(
          Dtype.BFLOAT16,
          List.of(512L, 2048L, 8192L, 32_768L),
          List.of(512L, 2048L, 8192L),
          List.of(512L, 2048L, 8192L, 32_768L),
          List.of(8, 64),
          List.of(128L, 512L, 2048L),
          List.of(1024L, 4096L),
          List.of(8L, 32L, 128L),
          List.of(1024L, 4096L, 16_384L),
          List.of(List.of(64L, 64L), List.of(128L, 128L), List.of(192L, 128L)),
          List.of(
              shortened("deepseek-llm-7b", Map.of()),
              shortened("deepseek-v2-lite", Map.of("n_routed_experts", "16"))),
          List.of(new StepSize(1, 2048, 40), new StepSize(4, 4096, 12)),
          KERNELS,
          List.of(64 * KIB, MIB, 8 * MIB, 64 * MIB, 256 * MIB),
          1 << 27,
          1L << 30);

  /** For a CPU: sizes of models that one tries. */
  private static final CalibrationGrid CPU =
      new CalibrationGrid(
          Dtype.FLOAT32,
          List.of(64L, 512L),
          List.of(64L, 512L),
          List.of(64L, 512L),
          List.of(4),
          List.of(16L, 64L),
          List.of(64L, 256L),
          List.of(4L, 16L),
          List.of(64L, 256L),
          List.of(List.of(32L, 32L)),
          List.of(Presets.named("tiny-llama"), Presets.named("tiny-v2")),
          List.of(new StepSize(1, 64, 2), new StepSize(4, 128, 2)),
          KERNELS,
          List.of(64 * KIB, 4 * MIB),
          1 << 22,
          64 * MIB);

  /** Two layers and few tokens, so that it fits small cards. */
  private static ModelConfig shortened(String preset, Map<String, String> changes) {
    Map<String, String> all = new TreeMap<>(changes);
    all.put("num_hidden_layers", "2");
    all.put("vocab_size", "32000");
    all.put("bos_token_id", "1");
    all.put("eos_token_id", "2");
    return ModelSource.config(preset, all);
  }

  static CalibrationGrid of(Device device) {
    return device.isCuda() ? GPU : CPU;
  }
}
