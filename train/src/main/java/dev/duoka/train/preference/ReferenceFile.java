package dev.duoka.train.preference;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.data.batch.PairSequences;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where a run keeps what the reference made of its answers: without it a run whose weights have
 * changed could not go on. A tensor of fp64 for each set of pairs.
 */
public final class ReferenceFile {
  /** Its name in the run's folder. */
  public static final String NAME = "references.safetensors";

  private static final String DATA = "data";

  private ReferenceFile() {}

  /** Whether the folder has one. */
  public static boolean isIn(Path runDir) {
    return Files.exists(runDir.resolve(NAME));
  }

  /**
   * Writes what the sets were told.
   *
   * @param data what the sequences were made from, by which the file is known
   */
  public static void write(Path runDir, Map<String, PairSequences> sets, String data) {
    Map<String, double[]> all = References.of(sets);
    List<TensorDeclaration> declarations = new ArrayList<>();
    all.forEach(
        (name, values) ->
            declarations.add(
                new TensorDeclaration(name, StoredDtype.F64, List.of((long) values.length))));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(runDir.resolve(NAME), declarations, Map.of(DATA, data))) {
      all.forEach((name, values) -> writer.write(name, bytes(values)));
      writer.finish();
    }
  }

  private static ByteBuffer bytes(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Double.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      bytes.putDouble(value);
    }
    return bytes.flip();
  }

  /**
   * Tells the sets what the file holds.
   *
   * @param data what the sequences are made from
   * @throws DuokaException {@code CHECKPOINT} when the file is not there or is of other data
   */
  public static void read(Path runDir, Map<String, PairSequences> sets, String data) {
    Path path = runDir.resolve(NAME);
    if (!Files.exists(path)) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "cannot go on: "
              + path
              + " is missing, and the weights that it was computed from have changed since",
          "Put it back, or begin a new run from the last checkpoint's export.");
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      if (!data.equals(file.metadata().get(DATA))) {
        throw new DuokaException(
            ErrorCode.CHECKPOINT,
            "cannot go on: " + path + " was computed from other data, another template or length",
            "Go on with the data section that the run began with.");
      }
      sets.forEach((name, set) -> set.refer(values(file, name)));
    }
  }

  private static double[] values(SafetensorsFile file, String name) {
    TensorEntry entry = file.entry(name);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(entry.byteLength())).order(ByteOrder.LITTLE_ENDIAN);
    file.read(entry, 0, bytes);
    double[] values = new double[bytes.flip().remaining() / Double.BYTES];
    bytes.asDoubleBuffer().get(values);
    return values;
  }
}
