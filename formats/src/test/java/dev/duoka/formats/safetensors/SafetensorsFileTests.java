package dev.duoka.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsFileTests {
  @TempDir Path folder;

  @Test
  void readsTensorsInTheOrderOfTheirBytes() {
    Path path =
        RawFile.write(
            folder.resolve("a.safetensors"),
            """
            {"b":{"dtype":"U8","shape":[2,2],"data_offsets":[4,8]},
             "__metadata__":{"format":"pt"},
             "a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
             "none":{"dtype":"BF16","shape":[0,7],"data_offsets":[8,8]}}\
            """,
            8);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors())
          .containsExactly(
              new TensorEntry("a", StoredDtype.F32, List.of(), 0, 4),
              new TensorEntry("b", StoredDtype.U8, List.of(2L, 2L), 4, 4),
              new TensorEntry("none", StoredDtype.BF16, List.of(0L, 7L), 8, 0));
      assertThat(file.metadata()).containsOnly(Map.entry("format", "pt"));
      assertThat(file.entry("a").elements()).isEqualTo(1);
      assertThat(file.entry("none").elements()).isZero();
      assertThat(file.contains("c")).isFalse();
      file.read(file.entry("none"), 0, ByteBuffer.allocate(0));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 4 | ends at data byte 8"
            + " but the file holds 4",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} | 9 | 1 bytes follow"
            + " tensor 'a'",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}} | 8 | needs 12 bytes but"
            + " its data_offsets are [0, 8]",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}} | 8 | needs 8 bytes but"
            + " its data_offsets are [8, 0]",
        "{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}} | 8 | has dtype 'F31'."
            + " Supported are [F64, F32,",
        "{\"a\":{\"shape\":[2],\"data_offsets\":[0,8]}} | 8 | tensor 'a' has no dtype",
        "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}} | 8 | tensor 'a' has no shape",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}} | 8 | tensor 'a' has no data_offsets",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}} | 8 | tensor 'a' has no"
            + " data_offsets of two numbers",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}} | 8 | shape holds -2,"
            + " not a whole number",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2.5],\"data_offsets\":[0,8]}} | 8 | shape holds 2.5,"
            + " not a whole number",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}} | 8 | data_offsets holds"
            + " -8, not a whole number",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,99999999999999999999]}} | 8 |"
            + " data_offsets holds 99999999999999999999",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}} | 8 |"
            + " more bytes than 63 bits count",
        "{\"a\":{\"dtype\":\"I8\",\"shape\":[9223372036854775807],\"data_offsets\":[0,9223372036854775807]}}"
            + " | 8 | ends at data byte 9223372036854775807",
        "{\"a\":7} | 0 | tensor 'a' is not described by an object",
        "{\"__metadata__\":{\"n\":1}} | 0 | __metadata__ 'n' is not a string",
        "{\"__metadata__\":[]} | 0 | __metadata__ is not an object",
        "[1] | 0 | its header is not a JSON object",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}"
            + " | 2 | Duplicate",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}"
            + " | 3 | tensor 'b' overlaps tensor 'a'",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}"
            + " | 5 | 1 bytes between tensor 'a' and tensor 'b'",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}} | 3 | 1 bytes between the"
            + " header and tensor 'a'",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]} | 2 | malformed JSON at"
            + " line 1",
      })
  void refusesMalformedHeaders(String header, int dataBytes, String problem) {
    Path path = RawFile.write(folder.resolve("bad.safetensors"), header, dataBytes);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOfSatisfying(
            DuokaException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.FORMAT))
        .hasMessageContaining("bad.safetensors")
        .hasMessageContaining(problem);
  }

  @ParameterizedTest
  @CsvSource({
    "0, its header's length is 0",
    "1, its header's length is 1",
    "3, its header's length is 3 but the file has 10 bytes",
    "100000001, its header's length is 100000001",
    "9223372036854775807, its header's length is 9223372036854775807",
    "-1, its header's length is 18446744073709551615",
  })
  void refusesImpossibleHeaderLengths(long length, String problem) {
    Path path = RawFile.write(folder.resolve("bad.safetensors"), length, "{}", 0);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(problem);
  }

  @Test
  void acceptsAFileWithoutTensors() {
    Path path = RawFile.write(folder.resolve("a.safetensors"), "{}", 0);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors()).isEmpty();
    }
  }

  @Test
  void refusesFilesTooShortMissingOrFolders() throws IOException {
    Path empty = Files.createFile(folder.resolve("empty.safetensors"));
    assertThatThrownBy(() -> SafetensorsFile.open(empty))
        .hasMessageContaining("it has 0 bytes, too few for a header's length");
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none.safetensors")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("none.safetensors: there is no such file");
    assertThatThrownBy(() -> SafetensorsFile.open(folder)).isInstanceOf(DuokaException.class);
  }

  @Test
  void namesTheNearestTensorWhereOneIsMissing() {
    Path path =
        RawFile.write(
            folder.resolve("a.safetensors"),
            "{\"model.norm.weight\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
            1);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThatThrownBy(() -> file.entry("model.norm.wieght"))
          .hasMessageEndingWith("Did you mean 'model.norm.weight'?");
      TensorEntry entry = file.entry("model.norm.weight");
      assertThatThrownBy(() -> file.read(entry, 0, ByteBuffer.allocate(2)))
          .isInstanceOf(DuokaException.class)
          .hasMessageContaining("bytes 0 to 2");
      assertThatThrownBy(() -> file.read(entry, -1, ByteBuffer.allocate(1)))
          .isInstanceOf(DuokaException.class);
    }
  }

  @Test
  void failsPlainlyAfterClose() {
    Path path =
        RawFile.write(
            folder.resolve("a.safetensors"),
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
            1);
    SafetensorsFile file = SafetensorsFile.open(path);
    file.close();
    file.close();
    assertThatThrownBy(() -> file.read(file.entry("a"), 0, ByteBuffer.allocate(1)))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("a.safetensors");
  }

  @Test
  void readsFromManyThreadsAtOnce() throws IOException {
    int bytes = 1 << 16;
    Path path =
        RawFile.write(
            folder.resolve("a.safetensors"),
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[65536],\"data_offsets\":[0,65536]}}",
            bytes);
    byte[] whole = Files.readAllBytes(path);
    for (int i = 0; i < bytes; i++) {
      whole[whole.length - bytes + i] = (byte) ((i * 31) >> 3);
    }
    Files.write(path, whole);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      TensorEntry entry = file.entry("a");
      List<Boolean> equal =
          IntStream.range(0, 512)
              .parallel()
              .mapToObj(
                  i -> {
                    ByteBuffer chunk = ByteBuffer.allocate(128);
                    file.read(entry, i * 128L, chunk);
                    return chunk
                        .flip()
                        .equals(ByteBuffer.wrap(whole, whole.length - bytes + i * 128, 128));
                  })
              .toList();
      assertThat(equal).doesNotContain(false);
    }
  }
}
