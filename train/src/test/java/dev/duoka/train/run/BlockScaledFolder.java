package dev.duoka.train.run;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a model's folder, whose weights are in fp32, as DeepSeek-V3 is published: projections and
 * experts in e4m3 with a scale for each block of 128 × 128, all else in bf16; and beside it what
 * these stand for, in fp32, reckoned here in fp64.
 */
final class BlockScaledFolder {
  private static final int BLOCK = 128;
  private static final String SCALES = "_scale_inv";
  private static final double LARGEST = 448;

  private final Map<String, ByteBuffer> scaled = new HashMap<>();
  private final Map<String, ByteBuffer> meant = new HashMap<>();
  private final List<TensorDeclaration> scaledTensors = new ArrayList<>();
  private final List<TensorDeclaration> meantTensors = new ArrayList<>();

  private BlockScaledFolder() {}

  static void write(Path source, Path scaledFolder, Path meantFolder) throws IOException {
    BlockScaledFolder made = new BlockScaledFolder();
    try (SafetensorsFolder weights = SafetensorsFolder.open(source)) {
      for (TensorEntry entry : weights.tensors()) {
        ByteBuffer bytes = buffer(entry.byteLength());
        weights.read(entry, 0, bytes);
        float[] values = new float[(int) entry.elements()];
        bytes.flip().asFloatBuffer().get(values);
        boolean matrix = entry.shape().size() == 2;
        String name = entry.name();
        boolean kept =
            name.contains("embed") || name.contains("head") || name.contains("mlp.gate.");
        if (matrix && !kept && !name.contains("eh_proj")) {
          made.scale(entry, values);
        } else {
          made.keep(entry, values);
        }
      }
    }
    copyTexts(source, meantFolder);
    copyTexts(source, scaledFolder);
    save(meantFolder, made.meantTensors, made.meant);
    save(scaledFolder, made.scaledTensors, made.scaled);
    Path config = scaledFolder.resolve("config.json");
    ObjectNode json = (ObjectNode) Json.parse(config, ErrorCode.CONFIG);
    ObjectNode quantization = json.putObject("quantization_config");
    quantization.put("activation_scheme", "dynamic").put("fmt", "e4m3").put("quant_method", "fp8");
    quantization.putArray("weight_block_size").add(BLOCK).add(BLOCK);
    Files.writeString(config, Json.pretty(json));
  }

  private void scale(TensorEntry entry, float[] values) {
    int columns = Math.toIntExact(entry.shape().getLast());
    int rows = Math.toIntExact(entry.shape().getFirst());
    int across = Math.ceilDiv(columns, BLOCK);
    float[] scales = new float[Math.ceilDiv(rows, BLOCK) * across];
    for (int i = 0; i < values.length; i++) {
      int block = i / columns / BLOCK * across + i % columns / BLOCK;
      scales[block] = Math.max(scales[block], (float) (Math.abs(values[i]) / LARGEST));
    }
    ByteBuffer codes = buffer(values.length);
    ByteBuffer wide = buffer(4L * values.length);
    for (int i = 0; i < values.length; i++) {
      float scale = scales[i / columns / BLOCK * across + i % columns / BLOCK];
      byte code = nearest(values[i] / (double) scale);
      codes.put(code);
      wide.putFloat((float) (decoded(code) * (double) scale));
    }
    ByteBuffer factors = buffer(4L * scales.length);
    factors.asFloatBuffer().put(scales);
    add(scaledTensors, scaled, entry.name(), StoredDtype.F8_E4M3, entry.shape(), codes.flip());
    add(
        scaledTensors,
        scaled,
        entry.name() + SCALES,
        StoredDtype.F32,
        List.of((long) scales.length / across, (long) across),
        factors);
    add(meantTensors, meant, entry.name(), StoredDtype.F32, entry.shape(), wide.flip());
  }

  private void keep(TensorEntry entry, float[] values) {
    boolean wide = entry.name().endsWith("e_score_correction_bias");
    ByteBuffer kept = buffer((wide ? 4L : 2L) * values.length);
    ByteBuffer same = buffer(4L * values.length);
    for (float value : values) {
      int upper = Float.floatToRawIntBits(value) >>> 16;
      if (wide) {
        kept.putFloat(value);
      } else {
        kept.putShort((short) upper);
      }
      same.putFloat(wide ? value : Float.intBitsToFloat(upper << 16));
    }
    StoredDtype dtype = wide ? StoredDtype.F32 : StoredDtype.BF16;
    add(scaledTensors, scaled, entry.name(), dtype, entry.shape(), kept.flip());
    add(meantTensors, meant, entry.name(), StoredDtype.F32, entry.shape(), same.flip());
  }

  private static byte nearest(double value) {
    int best = 0;
    for (int code = 1; code < 127; code++) {
      if (Math.abs(decoded((byte) code) - Math.abs(value))
          < Math.abs(decoded((byte) best) - Math.abs(value))) {
        best = code;
      }
    }
    return (byte) (value < 0 ? best | 128 : best);
  }

  /** 1 bit of sign, 4 of the exponent with a bias of 7, 3 of the mantissa. */
  private static double decoded(byte code) {
    int exponent = (code >> 3) & 15;
    int mantissa = code & 7;
    double size =
        exponent == 0 ? Math.scalb(mantissa, -9) : Math.scalb(8.0 + mantissa, exponent - 10);
    return code < 0 ? -size : size;
  }

  private static ByteBuffer buffer(long bytes) {
    return ByteBuffer.allocate(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void add(
      List<TensorDeclaration> tensors,
      Map<String, ByteBuffer> values,
      String name,
      StoredDtype dtype,
      List<Long> shape,
      ByteBuffer bytes) {
    tensors.add(new TensorDeclaration(name, dtype, shape));
    values.put(name, bytes);
  }

  private static void copyTexts(Path source, Path target) throws IOException {
    Files.createDirectories(target);
    try (Stream<Path> files = Files.list(source)) {
      for (Path file : files.filter(it -> it.toString().endsWith(".json")).toList()) {
        Files.copy(file, target.resolve(file.getFileName().toString()));
      }
    }
  }

  private static void save(
      Path folder, List<TensorDeclaration> tensors, Map<String, ByteBuffer> values) {
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(folder.resolve("model.safetensors"), tensors, Map.of())) {
      for (TensorEntry entry : writer.tensors()) {
        writer.write(entry.name(), values.getOrDefault(entry.name(), buffer(0)));
      }
      writer.finish();
    }
  }
}
