package dev.duoka.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTests {
  private static final List<TensorDeclaration> DECLARATIONS =
      List.of(
          new TensorDeclaration("flags", StoredDtype.BOOL, List.of(3L)),
          new TensorDeclaration("z", StoredDtype.F32, List.of(5L, 3L)),
          new TensorDeclaration("scalar", StoredDtype.F32, List.of()),
          new TensorDeclaration("empty", StoredDtype.F32, List.of(4L, 0L)),
          new TensorDeclaration("ids", StoredDtype.I64, List.of(2L)),
          new TensorDeclaration("half", StoredDtype.BF16, List.of(7L)));

  @TempDir Path folder;

  @Test
  void roundTripsEveryDtypeInOddChunks() {
    Random random = new Random(20260101);
    List<TensorDeclaration> all =
        Arrays.stream(StoredDtype.values())
            .map(dtype -> new TensorDeclaration("t." + dtype, dtype, List.of(3L, 5L)))
            .toList();
    byte[][] contents = new byte[all.size()][];
    Path path = folder.resolve("all.safetensors");
    try (SafetensorsWriter writer = SafetensorsWriter.create(path, all, Map.of("k", "多卡"))) {
      for (int i = 0; i < all.size(); i++) {
        TensorEntry tensor = writer.tensors().get(i);
        contents[i] = new byte[(int) tensor.byteLength()];
        random.nextBytes(contents[i]);
        for (int at = 0; at < contents[i].length; at += 7) {
          int length = Math.min(7, contents[i].length - at);
          writer.write(tensor.name(), ByteBuffer.wrap(contents[i], at, length));
        }
      }
      writer.finish();
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.metadata()).isEqualTo(Map.of("k", "多卡"));
      assertThat(file.tensors()).hasSize(all.size());
      for (int i = 0; i < all.size(); i++) {
        TensorEntry tensor = file.tensors().get(i);
        ByteBuffer read = ByteBuffer.allocateDirect((int) tensor.byteLength());
        file.read(tensor, 0, read);
        assertThat(read.flip()).as(tensor.name()).isEqualTo(ByteBuffer.wrap(contents[i]));
      }
    }
  }

  @Test
  void putsWiderDtypesFirstAndAlignsTheData() throws IOException {
    Path path = writeZeros(folder.resolve("a.safetensors")).path();
    ByteBuffer file = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(file.getLong(0) % 8).isZero();
    try (SafetensorsFile read = SafetensorsFile.open(path)) {
      assertThat(read.tensors())
          .extracting(TensorEntry::name)
          .containsExactly("ids", "empty", "scalar", "z", "half", "flags");
      assertThat(read.tensors())
          .allMatch(tensor -> tensor.begin() % tensor.dtype().byteSize() == 0);
    }
  }

  @Test
  void tellsTheDigestOfTheWholeFile() throws IOException, NoSuchAlgorithmException {
    WrittenFile written = writeZeros(folder.resolve("a.safetensors"));
    byte[] bytes = Files.readAllBytes(written.path());
    assertThat(written.byteLength()).isEqualTo(bytes.length);
    assertThat(written.sha256())
        .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
  }

  @Test
  void refusesWrongOrderAndWrongAmounts() {
    Path path = folder.resolve("a.safetensors");
    try (SafetensorsWriter writer = SafetensorsWriter.create(path, DECLARATIONS, Map.of())) {
      assertThatThrownBy(() -> writer.write("z", ByteBuffer.allocate(4)))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("'ids' still lacks 16 bytes");
      assertThatThrownBy(() -> writer.write("ids", ByteBuffer.allocate(17)))
          .hasMessageContaining("so 17 more are too many");
      writer.write("ids", ByteBuffer.allocate(9));
      assertThatThrownBy(writer::finish).hasMessageContaining("tensor 'ids' has 9 of 16 bytes");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void leavesTheOldFileWhenItIsAbandoned() throws IOException {
    Path path = folder.resolve("a.safetensors");
    writeZeros(path);
    byte[] before = Files.readAllBytes(path);
    SafetensorsWriter writer = SafetensorsWriter.create(path, DECLARATIONS, Map.of("new", "1"));
    writer.write("ids", ByteBuffer.allocate(16));
    writer.close();
    writer.close();
    assertThat(Files.readAllBytes(path)).isEqualTo(before);
    assertThat(folder).isDirectoryNotContaining("glob:**.tmp");
  }

  @Test
  void refusesBadDeclarations() {
    TensorDeclaration a = DECLARATIONS.getFirst();
    assertThatThrownBy(() -> SafetensorsWriter.create(folder.resolve("a"), List.of(a, a), Map.of()))
        .hasMessageContaining("two tensors are named 'flags'");
    assertThatThrownBy(() -> new TensorDeclaration("__metadata__", StoredDtype.F32, List.of()))
        .isInstanceOf(DuokaException.class);
    assertThatThrownBy(() -> new TensorDeclaration("n", StoredDtype.F32, List.of(-1L)))
        .hasMessageContaining("of shape [-1]");
    assertThatThrownBy(
            () -> new TensorDeclaration("n", StoredDtype.F64, List.of(1L << 40, 1L << 30)))
        .hasMessageContaining("63 bits");
    assertThatThrownBy(
            () ->
                SafetensorsWriter.create(
                    folder.resolve("none").resolve("a"), DECLARATIONS, Map.of()))
        .hasMessageContaining("Check that the folder exists");
  }

  @Test
  void readsTensorsBeyondTwoGibibytes() throws IOException {
    long bytes = (3L << 30) + 5;
    Path path = folder.resolve("big.safetensors");
    RawFile.write(
        path,
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[" + bytes + "],\"data_offsets\":[0," + bytes + "]}}",
        0);
    long header = Files.size(path);
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.setLength(header + bytes);
      sparse.seek(header + bytes - 3);
      sparse.write(new byte[] {1, 2, 3});
    }
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      ByteBuffer tail = ByteBuffer.allocate(4);
      file.read(file.entry("a"), bytes - 4, tail);
      assertThat(tail.array()).containsExactly(0, 1, 2, 3);
    }
  }

  @Test
  void tellsAFullDiskFromOtherFailures() {
    Path path = folder.resolve("a");
    assertThat(FileErrors.writing(path, new IOException("No space left on device")).code())
        .isEqualTo(ErrorCode.NO_SPACE);
    assertThat(FileErrors.writing(path, new IOException("Input/output error")).code())
        .isEqualTo(ErrorCode.IO);
  }

  private static WrittenFile writeZeros(Path path) {
    try (SafetensorsWriter writer = SafetensorsWriter.create(path, DECLARATIONS, Map.of())) {
      for (TensorEntry tensor : writer.tensors()) {
        writer.write(tensor.name(), ByteBuffer.allocate((int) tensor.byteLength()));
      }
      return writer.finish();
    }
  }
}
