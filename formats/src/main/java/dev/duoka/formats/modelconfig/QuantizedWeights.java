package dev.duoka.formats.modelconfig;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.json.JsonFields;
import java.nio.file.Path;
import java.util.Optional;

/** Tells whether a model's folder holds quantized weights, which cannot be trained. */
public final class QuantizedWeights {
  private QuantizedWeights() {}

  /** The {@code quant_method} of {@code quantization_config}, {@code fp8} for DeepSeek-V3's. */
  public static Optional<String> method(Path folderOrFile) {
    Path file = ModelConfigReader.file(folderOrFile);
    JsonFields fields =
        JsonFields.of(Json.parse(file, ErrorCode.CONFIG), file.toString(), ErrorCode.CONFIG);
    return fields
        .object("quantization_config")
        .map(quantization -> quantization.text("quant_method").orElse("an unnamed method"));
  }

  /** Refuses a folder with quantized weights; to be called before its weights are read. */
  public static void refuse(Path folderOrFile) {
    Optional<String> method = method(folderOrFile);
    if (method.isPresent()) {
      String remedy =
          method.get().equals("fp8")
              ? "Convert them to bf16 first, with fp8_cast_bf16.py of DeepSeek-V3's inference"
                  + " folder, or take a published bf16 copy, and drop quantization_config."
              : "Take the original weights in bf16, fp16 or fp32.";
      throw new DuokaException(
          ErrorCode.FORMAT,
          "cannot use the weights of " + folderOrFile + ": they are quantized, " + method.get(),
          remedy);
    }
  }
}
