package dev.duoka.train.preference;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Log-probabilities as they lie in a safetensors file: a tensor of fp64 for each set of sequences,
 * and strings that say what they are of.
 *
 * @param values by the set's name, those of its first sequences
 * @param known by which the file is known
 */
record StoredReferences(Map<String, double[]> values, Map<String, String> known) {
  /** Writes the file; whatever ends the program, the old one or the new one is there. */
  void write(Path file) {
    List<TensorDeclaration> declarations =
        values.entrySet().stream()
            .map(
                it ->
                    new TensorDeclaration(
                        it.getKey(), StoredDtype.F64, List.of((long) it.getValue().length)))
            .toList();
    try {
      // Runs that write the same file at once have names of their own for it until it is whole.
      Path own = Files.createTempFile(file.toAbsolutePath().getParent(), ".references-", "");
      try {
        try (SafetensorsWriter writer = SafetensorsWriter.create(own, declarations, known)) {
          for (TensorEntry tensor : writer.tensors()) {
            writer.write(tensor.name(), bytes(Objects.requireNonNull(values.get(tensor.name()))));
          }
          writer.finish();
        }
        CrashSafeFiles.moveIntoPlace(own, file);
      } finally {
        Files.deleteIfExists(own);
      }
    } catch (IOException e) {
      throw new DuokaException(
          IoReason.isFull(e) ? ErrorCode.NO_SPACE : ErrorCode.IO,
          "cannot write " + file + ": " + IoReason.of(e),
          "Make room there, or see who may write to that folder",
          e);
    }
  }

  /**
   * Reads a file.
   *
   * @throws DuokaException {@code FORMAT} when it is damaged
   */
  static StoredReferences read(Path path) {
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      Map<String, double[]> values = new LinkedHashMap<>();
      for (TensorEntry entry : file.tensors()) {
        values.put(entry.name(), values(file, entry));
      }
      return new StoredReferences(values, file.metadata());
    }
  }

  private static ByteBuffer bytes(double[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(values.length, Double.BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.asDoubleBuffer().put(values);
    return bytes;
  }

  private static double[] values(SafetensorsFile file, TensorEntry entry) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(entry.byteLength())).order(ByteOrder.LITTLE_ENDIAN);
    file.read(entry, 0, bytes);
    double[] values = new double[bytes.flip().remaining() / Double.BYTES];
    bytes.asDoubleBuffer().get(values);
    return values;
  }
}
