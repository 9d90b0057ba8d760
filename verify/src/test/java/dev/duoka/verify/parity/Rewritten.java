package dev.duoka.verify.parity;

import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A folder's {@code expect.safetensors}, to be written again with other contents. */
final class Rewritten {
  private final Path path;
  private final Map<String, TensorDeclaration> declarations = new LinkedHashMap<>();
  private final Map<String, double[]> contents = new LinkedHashMap<>();

  private Rewritten(Path path) {
    this.path = path;
  }

  static Rewritten read(Path folder) {
    Rewritten result = new Rewritten(folder.resolve("expect.safetensors"));
    try (SafetensorsFile file = SafetensorsFile.open(result.path)) {
      for (TensorEntry entry : file.tensors()) {
        ByteBuffer bytes =
            ByteBuffer.allocate((int) entry.byteLength()).order(ByteOrder.LITTLE_ENDIAN);
        file.read(entry, 0, bytes);
        bytes.flip().order(ByteOrder.LITTLE_ENDIAN);
        double[] values = new double[(int) entry.elements()];
        for (int i = 0; i < values.length; i++) {
          values[i] = entry.dtype() == StoredDtype.I64 ? bytes.getLong() : bytes.getFloat();
        }
        result.contents.put(entry.name(), values);
        result.declarations.put(
            entry.name(), new TensorDeclaration(entry.name(), entry.dtype(), entry.shape()));
      }
    }
    return result;
  }

  private TensorDeclaration declaration(String name) {
    return Objects.requireNonNull(declarations.get(name), name);
  }

  private double[] content(String name) {
    return Objects.requireNonNull(contents.get(name), name);
  }

  void set(String name, int index, double value) {
    content(name)[index] = value;
  }

  void store(String name, StoredDtype dtype) {
    declarations.put(name, new TensorDeclaration(name, dtype, declaration(name).shape()));
  }

  void shape(String name, long... sizes) {
    List<Long> shape = new ArrayList<>();
    for (long size : sizes) {
      shape.add(size);
    }
    declarations.put(name, new TensorDeclaration(name, declaration(name).dtype(), shape));
  }

  void write() {
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(path, List.copyOf(declarations.values()), Map.of())) {
      for (TensorEntry entry : writer.tensors()) {
        ByteBuffer bytes =
            ByteBuffer.allocate((int) entry.byteLength()).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : content(entry.name())) {
          put(bytes, entry.dtype(), value);
        }
        writer.write(entry.name(), bytes.flip());
      }
      writer.finish();
    }
  }

  private static void put(ByteBuffer bytes, StoredDtype dtype, double value) {
    switch (dtype) {
      case F64 -> bytes.putDouble(value);
      case F32 -> bytes.putFloat((float) value);
      case F16 -> bytes.putShort(Float.floatToFloat16((float) value));
      case BF16 -> bytes.putShort((short) (Float.floatToRawIntBits((float) value) >>> 16));
      case I64, U64 -> bytes.putLong((long) value);
      case I32, U32 -> bytes.putInt((int) value);
      case I16, U16 -> bytes.putShort((short) value);
      case I8, U8, BOOL, F8_E4M3, F8_E5M2 -> bytes.put((byte) value);
    }
  }
}
