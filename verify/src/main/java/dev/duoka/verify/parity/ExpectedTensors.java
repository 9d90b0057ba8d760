package dev.duoka.verify.parity;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.TensorEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What {@code expect.safetensors} of a folder holds, as numbers and token ids. */
final class ExpectedTensors implements AutoCloseable {
  private static final String FILE = "expect.safetensors";
  private static final String STEP = "step_ids.";

  /** The ids of the one batch. */
  static final String INPUT = "input_ids";

  private final Path path;
  private final SafetensorsFile file;

  private ExpectedTensors(Path path, SafetensorsFile file) {
    this.path = path;
    this.file = file;
  }

  static ExpectedTensors open(Path folder) {
    Path path = folder.resolve(FILE);
    return new ExpectedTensors(path, SafetensorsFile.open(path));
  }

  /** The names of all tensors, in the file's order. */
  List<String> names() {
    return file.tensors().stream().map(TensorEntry::name).toList();
  }

  /**
   * What is to be compared and is in none of the results, a kind of tensors once: {@code logits},
   * {@code merged_after.*}.
   */
  List<String> without(List<ParityResult> results) {
    Set<String> compared =
        results.stream().map(ParityResult::name).collect(Collectors.toUnmodifiableSet());
    return names().stream()
        .filter(name -> !compared.contains(name) && !isInput(name))
        .map(name -> name.contains(".") ? name.substring(0, name.indexOf('.')) + ".*" : name)
        .distinct()
        .sorted()
        .toList();
  }

  private static boolean isInput(String name) {
    return name.equals(INPUT) || name.startsWith(STEP);
  }

  /** A tensor of any floating type, flat. */
  double[] numbers(String name) {
    TensorEntry entry = file.entry(name);
    ByteBuffer bytes = read(entry);
    double[] values = new double[Math.toIntExact(entry.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (entry.dtype()) {
            case F64 -> bytes.getDouble();
            case F32 -> bytes.getFloat();
            case F16 -> Float.float16ToFloat(bytes.getShort());
            case BF16 -> Float.intBitsToFloat(bytes.getShort() << Short.SIZE);
            case I64, I32, I16, I8, U8, BOOL, F8_E4M3, F8_E5M2, U16, U32, U64 ->
                throw wrongType(entry, "F32, F64, BF16 or F16");
          };
    }
    return values;
  }

  /** Token ids {@code [b, t]}, each below {@code vocabulary}. */
  TokenIds ids(String name, long vocabulary) {
    TensorEntry entry = file.entry(name);
    List<Long> shape = entry.shape();
    if (shape.size() != 2 || shape.get(0) < 1 || shape.get(1) < 2) {
      throw wrong(
          name + " has the shape " + shape,
          "Give it the shape [sequences, length], with sequences of at least 2 tokens.");
    }
    ByteBuffer bytes = read(entry);
    long[] ids = new long[Math.toIntExact(entry.elements())];
    for (int i = 0; i < ids.length; i++) {
      ids[i] =
          switch (entry.dtype()) {
            case I64 -> bytes.getLong();
            case I32 -> bytes.getInt();
            case F64, F32, F16, BF16, I16, I8, U8, BOOL, F8_E4M3, F8_E5M2, U16, U32, U64 ->
                throw wrongType(entry, "I64 or I32");
          };
      if (ids[i] < 0 || ids[i] >= vocabulary) {
        throw wrong(
            name + " holds the token id " + ids[i] + ", outside of 0 to " + (vocabulary - 1),
            "Check that config.json and the ids are of the same model.");
      }
    }
    return new TokenIds(ids, Math.toIntExact(shape.get(0)), Math.toIntExact(shape.get(1)));
  }

  /** {@code step_ids.0} and so on, one batch for each expected loss. */
  List<TokenIds> steps(long vocabulary) {
    long steps = file.entry("adamw_losses").elements();
    List<TokenIds> batches = new ArrayList<>();
    for (long step = 0; step < steps; step++) {
      batches.add(ids(STEP + step, vocabulary));
    }
    return batches;
  }

  DuokaException wrong(String problem, String remedy) {
    return new DuokaException(ErrorCode.FORMAT, path + ": " + problem, remedy);
  }

  private DuokaException wrongType(TensorEntry entry, String known) {
    return wrong(
        entry.name() + " has the dtype " + entry.dtype(), "Write it as " + known + " instead.");
  }

  private ByteBuffer read(TensorEntry entry) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(entry.byteLength())).order(ByteOrder.LITTLE_ENDIAN);
    file.read(entry, 0, bytes);
    return bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    file.close();
  }
}
