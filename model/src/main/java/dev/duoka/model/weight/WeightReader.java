package dev.duoka.model.weight;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.NearestName;
import dev.duoka.base.Progress;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.nf4.Nf4;
import dev.duoka.tensor.nf4.Nf4Writer;
import dev.duoka.tensor.op.Copies;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Fills a model's weights from a Hugging Face checkpoint. */
public final class WeightReader {
  /**
   * What a checkpoint had and lacked.
   *
   * @param missing tensors the model has and the checkpoint lacks; their weights are unchanged
   * @param unused tensors the checkpoint has and the model does not
   */
  public record Report(List<String> missing, List<String> unused) {}

  private static final String LOADING = "loading weights";

  private WeightReader() {}

  /** As {@link #read(CheckpointWeights, List, List, Progress)}, in silence. */
  public static Report read(
      CheckpointWeights stored, List<Weight> weights, List<StateBuffer> buffers) {
    return read(stored, weights, buffers, Progress.NONE);
  }

  /**
   * Reads every tensor that both have, converting to the weights' dtype, or to 4 bits: some rows at
   * a time, and of those only what is here.
   *
   * @param progress hears how many of the model's weights were read
   * @throws DuokaException when a tensor has another shape than the model wants
   */
  public static Report read(
      CheckpointWeights stored,
      List<Weight> weights,
      List<StateBuffer> buffers,
      Progress progress) {
    Set<String> unused = new LinkedHashSet<>();
    stored.tensors().forEach(entry -> unused.add(entry.name()));
    List<String> missing = new ArrayList<>();
    int done = 0;
    for (Weight weight : weights) {
      progress.reached(LOADING, done++, weights.size());
      int number = 0;
      for (CheckpointTensor tensor : weight.checkpointTensors()) {
        if (unused.remove(tensor.name())) {
          copy(stored, tensor, number, weight.parameter());
        } else {
          missing.add(tensor.name());
        }
        number++;
      }
    }
    for (StateBuffer buffer : buffers) {
      if (unused.remove(buffer.checkpointName())) {
        TensorEntry entry = stored.entry(buffer.checkpointName());
        checkShape(entry, List.of(buffer.length()));
        try (Tensor values = stored.read(entry)) {
          Copies.into(buffer.value(), values);
        }
      } else {
        missing.add(buffer.checkpointName());
      }
    }
    return new Report(missing, List.copyOf(unused));
  }

  /** As the other method, in silence. */
  public static Report readAll(
      CheckpointWeights stored, List<Weight> weights, List<StateBuffer> buffers) {
    return readAll(stored, weights, buffers, Progress.NONE);
  }

  /** As {@link #read}, but every tensor of the model must be there. */
  public static Report readAll(
      CheckpointWeights stored,
      List<Weight> weights,
      List<StateBuffer> buffers,
      Progress progress) {
    Report report = read(stored, weights, buffers, progress);
    if (!report.missing().isEmpty()) {
      String first = report.missing().getFirst();
      throw new DuokaException(
          ErrorCode.FORMAT,
          stored.path()
              + " lacks "
              + report.missing().size()
              + " tensors of this model, the first is "
              + first,
          "Check that config.json belongs to these weights. "
              + NearestName.hint(first, report.unused().stream().limit(200).toList()));
    }
    return report;
  }

  private static void copy(
      CheckpointWeights stored, CheckpointTensor tensor, int number, Parameter parameter) {
    TensorEntry entry = stored.entry(tensor.name());
    checkShape(entry, tensor.shape());
    if (parameter.isInFourBits()) {
      quantize(stored, entry, number, parameter);
      return;
    }
    Portion portion = parameter.spec().portion();
    long columns = portion.columns();
    long firstRow = tensor.offset() / columns;
    long rows = tensor.elements() / columns;
    long atOnce = stored.rowsAtOnce(columns);
    for (long row = 0; row < rows; row += atOnce) {
      long count = Math.min(atOnce, rows - row);
      if (portion.touches(firstRow + row, count)) {
        try (Scope _ = Scope.open()) {
          portion.take(stored.rows(entry, columns, row, count), firstRow + row, parameter.value());
        }
      }
    }
  }

  /** All rows of a tensor of which anything is here: its scales have a mean over all blocks. */
  private static void quantize(
      CheckpointWeights stored, TensorEntry entry, int number, Parameter parameter) {
    long columns = parameter.spec().portion().columns();
    long rows = entry.elements() / columns;
    long atOnce = Math.ceilDiv(stored.rowsAtOnce(columns), (long) Nf4.BLOCK) * Nf4.BLOCK;
    try (Nf4Writer writer = parameter.writer(number)) {
      if (!writer.isWanted()) {
        return;
      }
      for (long row = 0; row < rows; row += atOnce) {
        try (Scope _ = Scope.open()) {
          writer.add(stored.rows(entry, columns, row, Math.min(atOnce, rows - row)));
        }
      }
      writer.finish();
    }
  }

  private static void checkShape(TensorEntry entry, List<Long> wanted) {
    if (!entry.shape().equals(wanted)) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "the tensor "
              + entry.name()
              + " has the shape "
              + entry.shape()
              + ", but the model wants "
              + wanted,
          "Check that config.json belongs to these weights");
    }
  }
}
