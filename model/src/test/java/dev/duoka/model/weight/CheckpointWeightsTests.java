package dev.duoka.model.weight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Matrices of random e4m3 bytes, against values that are reckoned in fp64. */
class CheckpointWeightsTests {
  private static final String NAME = "model.layers.0.mlp.down_proj.weight";
  private static final String SCALES = NAME + "_scale_inv";

  @TempDir Path folder;

  private final Map<String, byte[]> written = new HashMap<>();

  private static TensorDeclaration weight(long... shape) {
    return new TensorDeclaration(NAME, StoredDtype.F8_E4M3, List.of(shape[0], shape[1]));
  }

  private static TensorDeclaration scales(StoredDtype dtype, long... shape) {
    return new TensorDeclaration(SCALES, dtype, List.of(shape[0], shape[1]));
  }

  private void write(String quantization, TensorDeclaration... tensors) throws IOException {
    Files.writeString(
        folder.resolve("config.json"), "{\"quantization_config\": {" + quantization + "}}");
    SplittableRandom random = new SplittableRandom(41);
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(folder.resolve("model.safetensors"), List.of(tensors), Map.of())) {
      for (TensorEntry entry : writer.tensors()) {
        ByteBuffer bytes =
            ByteBuffer.allocate((int) entry.byteLength()).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
          switch (entry.dtype()) {
            case F8_E4M3 -> bytes.put((byte) (random.nextInt(127) | (random.nextInt(2) << 7)));
            case F32 -> bytes.putFloat(scale.applyAsFloat(random));
            default -> bytes.put((byte) 60);
          }
        }
        written.put(entry.name(), bytes.array());
        writer.write(entry.name(), bytes.flip());
      }
      writer.finish();
    }
  }

  /** The scales that are written. */
  @FunctionalInterface
  private interface Scales {
    float applyAsFloat(SplittableRandom random);
  }

  private Scales scale = random -> (float) Math.exp(random.nextDouble(-9, 3));

  private static String blocks(long rows, long columns) {
    return "\"quant_method\": \"fp8\", \"fmt\": \"e4m3\", \"weight_block_size\": [%d, %d]"
        .formatted(rows, columns);
  }

  /** 1 bit of sign, 4 of the exponent with a bias of 7, 3 of the mantissa; no infinity. */
  private static double decoded(byte code) {
    int exponent = (code >> 3) & 15;
    int mantissa = code & 7;
    double size =
        exponent == 0
            ? mantissa * Math.scalb(1.0, -9)
            : (8 + mantissa) * Math.scalb(1.0, exponent - 10);
    return code < 0 ? -size : size;
  }

  private float[] expected(int rows, int columns, int blockRows, int blockColumns) {
    byte[] codes = written.getOrDefault(NAME, new byte[0]);
    ByteBuffer scales =
        ByteBuffer.wrap(written.getOrDefault(SCALES, new byte[0])).order(ByteOrder.LITTLE_ENDIAN);
    int across = Math.ceilDiv(columns, blockColumns);
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      int block = i / columns / blockRows * across + i % columns / blockColumns;
      values[i] = (float) (decoded(codes[i]) * (double) scales.getFloat(4 * block));
    }
    return values;
  }

  /** With ends of blocks cut short, in one piece and in several. */
  @ParameterizedTest
  @CsvSource({
    "256, 384, 128, 128",
    "160, 96, 128, 128",
    "300, 200, 128, 128",
    "77, 130, 16, 32",
    "5, 3, 128, 128"
  })
  void readsWhatBlocksStandFor(int rows, int columns, int blockRows, int blockColumns)
      throws IOException {
    write(
        blocks(blockRows, blockColumns),
        weight(rows, columns),
        scales(
            StoredDtype.F32, Math.ceilDiv(rows, blockRows), Math.ceilDiv(columns, blockColumns)));
    float[] expected = expected(rows, columns, blockRows, blockColumns);
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder);
        Scope _ = Scope.open()) {
      CheckpointWeights weights = CheckpointWeights.of(opened, 1);
      assertThat(weights.tensors()).extracting(TensorEntry::name).containsExactly(NAME);
      TensorEntry entry = weights.entry(NAME);
      Tensor whole = weights.read(entry);
      assertThat(whole.dtype()).isEqualTo(Dtype.FLOAT32);
      assertThat(HostCopy.floats(whole)).isEqualTo(expected);
      long atOnce = weights.rowsAtOnce(columns);
      assertThat(atOnce).isEqualTo(blockRows);
      int read = 0;
      for (long row = 0; row < rows; row += atOnce) {
        for (float value :
            HostCopy.floats(weights.rows(entry, columns, row, Math.min(atOnce, rows - row)))) {
          assertThat(value).isEqualTo(expected[read++]);
        }
      }
      assertThat(read).isEqualTo(expected.length);
      assertThat(CheckpointWeights.of(opened).rowsAtOnce(1000))
          .isEqualTo(8388 / blockRows * blockRows);
    }
  }

  @Test
  void namesMissingAndMisshapenScales() throws IOException {
    write(blocks(128, 128), weight(160, 96));
    assertRefused("it has no " + SCALES);
    write(blocks(128, 128), weight(160, 96), scales(StoredDtype.F32, 1, 2));
    assertRefused(SCALES + " is F32[1, 2]");
    assertRefused("want F32[2, 1]");
    write(blocks(128, 128), weight(160, 96), scales(StoredDtype.U8, 2, 1));
    assertRefused(SCALES + " is U8[2, 1]");
    write(
        blocks(128, 128),
        new TensorDeclaration(NAME, StoredDtype.BF16, List.of(160L, 96L)),
        scales(StoredDtype.F32, 2, 1));
    assertRefused(SCALES + " would scale " + NAME + ", which is BF16");
    write(
        blocks(128, 128), new TensorDeclaration(NAME, StoredDtype.F8_E4M3, List.of(2L, 160L, 96L)));
    assertRefused("[2, 160, 96], which is no matrix");
  }

  /** Scales of 16 bits are as good as others. */
  @Test
  void readsScalesOfSixteenBits() throws IOException {
    write(blocks(128, 128), weight(160, 96), scales(StoredDtype.BF16, 2, 1));
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder);
        Scope _ = Scope.open()) {
      CheckpointWeights weights = CheckpointWeights.of(opened);
      float scale = Float.intBitsToFloat(0x3c3c0000);
      byte[] codes = written.getOrDefault(NAME, new byte[0]);
      float[] values = HostCopy.floats(weights.read(weights.entry(NAME)));
      for (int i = 0; i < values.length; i++) {
        assertThat(values[i]).isEqualTo((float) (decoded(codes[i]) * scale));
      }
    }
  }

  /** A block of zeros may have any scale, but one that is no number makes none of it. */
  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY})
  void aScaleThatIsNoNumberIsRefused(float wrong) throws IOException {
    scale = random -> random.nextInt(2) == 0 ? wrong : 1;
    write(blocks(128, 128), weight(1600, 96), scales(StoredDtype.F32, 13, 1));
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder);
        Scope _ = Scope.open()) {
      CheckpointWeights weights = CheckpointWeights.of(opened);
      TensorEntry entry = weights.entry(NAME);
      assertThatThrownBy(() -> weights.read(entry))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining(SCALES + " has a scale of ");
    }
    scale = _ -> 0;
    write(blocks(128, 128), weight(160, 96), scales(StoredDtype.F32, 2, 1));
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder);
        Scope _ = Scope.open()) {
      CheckpointWeights weights = CheckpointWeights.of(opened);
      assertThat(HostCopy.floats(weights.read(weights.entry(NAME)))).containsOnly(0f, -0f);
    }
  }

  /** Without their scales they would be other numbers. */
  @Test
  void eightBitsOfWhichTheConfigSaysNothingAreNotRead() throws IOException {
    write(blocks(128, 128), weight(160, 96), scales(StoredDtype.F32, 2, 1));
    Files.writeString(folder.resolve("config.json"), "{}");
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder);
        Scope _ = Scope.open()) {
      CheckpointWeights weights = CheckpointWeights.of(opened);
      assertThat(weights.blocks()).isEmpty();
      TensorEntry entry = weights.entry(NAME);
      for (ThrowingCallable reading :
          List.<ThrowingCallable>of(
              () -> weights.read(entry), () -> weights.rows(entry, 96, 0, 160))) {
        assertThatThrownBy(reading)
            .isInstanceOf(DuokaException.class)
            .hasMessageContaining(NAME + ": its dtype is F8_E4M3");
      }
    }
  }

  private void assertRefused(String message) {
    try (SafetensorsFolder opened = SafetensorsFolder.open(folder)) {
      assertThatThrownBy(() -> CheckpointWeights.of(opened))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining(folder.toString())
          .hasMessageContaining(message);
    }
  }
}
