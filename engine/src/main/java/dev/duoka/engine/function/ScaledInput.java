package dev.duoka.engine.function;

import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.scaled.Quantization;
import dev.duoka.tensor.scaled.ScaledMatrix;
import dev.duoka.tensor.scaled.ScaledMatrix.Grouping;

/**
 * What a linear layer in 8 bits keeps between its passes: the columns of its input for the weight
 * gradient, quantized when the rows are, and those of the output's gradient likewise.
 */
final class ScaledInput {
  private static final String INPUT = "x columns";
  private static final String GRADIENT = "gradient columns";

  private ScaledInput() {}

  /** Quantizes {@code x [n, in]}, keeps its columns for the gradients, and returns its rows. */
  static ScaledMatrix quantize(SavedTensors saved, Tensor x) {
    if (!saved.isRecording()) {
      ScaledMatrix rows = Quantization.rows(x);
      save(saved, INPUT, rows); // nothing is kept, but it counts as saved
      return rows;
    }
    ScaledMatrix.Pair pair = Quantization.rowsAndColumns(x);
    save(saved, INPUT, pair.transpose());
    return pair.matrix();
  }

  /** Likewise the gradient of the output, {@code [n, out]}. */
  static ScaledMatrix quantizeGradient(SavedTensors saved, Tensor gradient) {
    ScaledMatrix.Pair pair = Quantization.rowsAndColumns(gradient);
    save(saved, GRADIENT, pair.transpose());
    return pair.matrix();
  }

  /** The columns of the input, {@code [in, n]}. */
  static ScaledMatrix columns(SavedTensors saved) {
    return get(saved, INPUT);
  }

  /** The columns of the output's gradient, {@code [out, n]}, quantized now if they were not. */
  static ScaledMatrix gradientColumns(SavedTensors saved, Tensor gradient) {
    return saved.has(GRADIENT)
        ? get(saved, GRADIENT)
        : Quantization.rowsAndColumns(gradient).transpose();
  }

  private static void save(SavedTensors saved, String name, ScaledMatrix matrix) {
    saved.save(name, matrix.values());
    saved.save(name + "' scales", matrix.scales());
  }

  private static ScaledMatrix get(SavedTensors saved, String name) {
    return new ScaledMatrix(saved.get(name), saved.get(name + "' scales"), Grouping.ROWS);
  }
}
