package dev.duoka.formats.modelconfig;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.nio.file.Path;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * Tells from a model's {@code quantization_config} how its weights are stored: as numbers of their
 * own, or as DeepSeek-V3's and R1's, in 8 bits with a scale for each block. Nothing else is read.
 */
public final class QuantizedWeights {
  /**
   * The blocks of a matrix that share a scale; those at its end may be cut short.
   *
   * @param rows of a block
   * @param columns of a block
   */
  public record Blocks(int rows, int columns) {
    /** The scales of a matrix of {@code size} rows. */
    public long ofRows(long size) {
      return Math.ceilDiv(size, (long) rows);
    }

    /** Likewise of columns. */
    public long ofColumns(long size) {
      return Math.ceilDiv(size, (long) columns);
    }

    @Override
    public String toString() {
      return rows + " × " + columns;
    }
  }

  private static final String FIELD = "quantization_config";
  private static final String BITSANDBYTES = "bitsandbytes";
  private static final String BLOCK_SIZE = "weight_block_size";

  private QuantizedWeights() {}

  /**
   * The blocks of FP8 weights (e4m3); empty where weights are not quantized.
   *
   * @throws DuokaException with {@link ErrorCode#FORMAT} when they are quantized in any other way
   */
  public static Optional<Blocks> blocks(Path folderOrFile) {
    Path file = ModelConfigReader.file(folderOrFile);
    return JsonFields.of(Json.parse(file, ErrorCode.CONFIG), file.toString(), ErrorCode.CONFIG)
        .object(FIELD)
        .map(quantization -> blocks(folderOrFile, quantization));
  }

  private static Blocks blocks(Path folder, JsonFields quantization) {
    String method = quantization.text("quant_method").orElse("an unnamed method");
    if (!method.equals("fp8")) {
      throw refusal(folder, method);
    }
    String format = quantization.text("fmt").orElse("e4m3");
    if (!format.equals("e4m3")) {
      throw refusal(folder, "fp8 of the format " + format);
    }
    JsonNode size =
        quantization
            .node(BLOCK_SIZE)
            .orElseThrow(() -> refusal(folder, "fp8 without " + BLOCK_SIZE));
    if (!size.isArray() || size.size() != 2 || !isSize(size.get(0)) || !isSize(size.get(1))) {
      throw refusal(folder, "fp8 with " + BLOCK_SIZE + " " + size);
    }
    return new Blocks(size.get(0).intValue(), size.get(1).intValue());
  }

  private static boolean isSize(JsonNode node) {
    return node.isInt() && node.intValue() > 0;
  }

  private static DuokaException refusal(Path folder, String method) {
    return new DuokaException(
        ErrorCode.FORMAT,
        "cannot use the weights of " + folder + ": they are quantized, " + method,
        "Take the original weights in bf16, fp16 or fp32, or in fp8 (e4m3) with two sizes of blocks"
            + " as "
            + BLOCK_SIZE
            + ", as DeepSeek-V3 is published."
            + (method.equals(BITSANDBYTES)
                ? " From those adapter: {base: nf4} of a run file, and --base-form nf4 of chat and"
                    + " generate, make a base in 4 bits as they load."
                : ""));
  }
}
