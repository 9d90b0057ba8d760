package dev.duoka.formats.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsFolderTests {
  private static final String FIRST = "model-00001-of-00003.safetensors";

  @TempDir Path folder;

  @Test
  void shardsByTheLimitAndReadsAllBack() {
    List<WrittenFile> written = writeTensors(1000);
    assertThat(written)
        .extracting(file -> file.path().getFileName().toString())
        .containsExactly(
            FIRST,
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json");
    try (SafetensorsFolder read = SafetensorsFolder.open(folder)) {
      assertThat(read.files()).hasSize(3);
      assertThat(read.tensors()).hasSize(6);
      for (int i = 0; i < 6; i++) {
        TensorEntry entry = read.entry("t" + i);
        ByteBuffer bytes = ByteBuffer.allocate((int) entry.byteLength());
        read.read(entry, 0, bytes);
        assertThat(bytes.array()).containsOnly(i);
      }
      assertThatThrownBy(() -> read.entry("t9")).hasMessageContaining("no tensor 't9' among its 6");
    }
  }

  @Test
  void writesOneFileWithoutIndexWhereAllFits() {
    assertThat(writeTensors(1 << 20))
        .singleElement()
        .satisfies(file -> assertThat(file.path()).hasFileName("model.safetensors"));
    try (SafetensorsFolder read = SafetensorsFolder.open(folder)) {
      assertThat(read.tensors()).hasSize(6);
    }
  }

  @Test
  void givesATensorAboveTheLimitAShardOfItsOwn() {
    assertThat(writeTensors(1)).hasSize(6 + 1);
  }

  @Test
  void writesTheIndexHuggingFaceReads() throws IOException {
    writeTensors(1000);
    assertThat(Files.readString(folder.resolve(ShardIndex.FILE_NAME)))
        .containsIgnoringWhitespaces(
            "\"metadata\":{\"total_size\":2400}",
            "\"weight_map\":{\"t0\":\"model-00001-of-00003.safetensors\",");
  }

  @Test
  void refusesAFolderThatHoldsWeightsAlready() {
    writeTensors(1000);
    assertThatThrownBy(() -> writeTensors(1 << 20))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("it holds model.safetensors.index.json already");
  }

  @Test
  void saysWhenAnIncompleteModelIsFinished() {
    try (SafetensorsFolderWriter writer =
        SafetensorsFolderWriter.create(folder, declarations(), Map.of(), 1000)) {
      writer.write("t0", ByteBuffer.allocate(400));
      assertThatThrownBy(writer::finish).hasMessageContaining("tensor 't1' has 0 of 400 bytes");
      assertThatThrownBy(() -> writer.write("t9", ByteBuffer.allocate(1)))
          .hasMessageContaining("it was not declared");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void namesAMissingShard() throws IOException {
    writeTensors(1000);
    Files.delete(folder.resolve(FIRST));
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("its index names " + FIRST + ", which is not there");
  }

  @Test
  void namesContradictionsOfIndexAndShards() throws IOException {
    writeTensors(1000);
    Path index = folder.resolve(ShardIndex.FILE_NAME);
    String text = Files.readString(index);
    Files.writeString(index, text.replace("\"t0\"", "\"other\""));
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining(FIRST + " holds tensor 't0', which the index does not name");
    Files.writeString(index, text.replaceFirst("00001-of", "00002-of"));
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining("'t0', which the index places in model-00002-of-00003.safetensors");
    Files.writeString(
        index, text.replace("\"weight_map\" : {", "\"weight_map\" : { \"x\": \"" + FIRST + "\","));
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining("it places tensor 'x' in " + FIRST + ", which lacks it");
  }

  @Test
  void refusesAMalformedIndex() throws IOException {
    Path index = folder.resolve(ShardIndex.FILE_NAME);
    Files.writeString(index, "{\"metadata\": {}}");
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining("it has no 'weight_map'");
    Files.writeString(index, "{\"weight_map\": {}}");
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining("'weight_map' is empty");
    Files.writeString(index, "{\"weight_map\": {\"a\": \"../secret.safetensors\"}}");
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining("It must be the name of a file in the same folder");
    Files.writeString(index, "{\"weight_map\": {\"a\": 3}}");
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining("field 'weight_map.a' is 3. It must be a string");
  }

  @Test
  void saysWhatAFolderWithoutSafetensorsHolds() throws IOException {
    assertThatThrownBy(() -> SafetensorsFolder.open(folder)).hasMessageContaining("no weights in");
    Files.createFile(folder.resolve("pytorch_model.bin"));
    assertThatThrownBy(() -> SafetensorsFolder.open(folder))
        .hasMessageContaining("but [pytorch_model.bin]")
        .hasMessageContaining("save_pretrained");
    assertThatThrownBy(() -> SafetensorsFolder.open(folder.resolve("none")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("none");
  }

  private static List<TensorDeclaration> declarations() {
    List<TensorDeclaration> tensors = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      tensors.add(new TensorDeclaration("t" + i, StoredDtype.F32, List.of(100L)));
    }
    return tensors;
  }

  private List<WrittenFile> writeTensors(long maxShardBytes) {
    try (SafetensorsFolderWriter writer =
        SafetensorsFolderWriter.create(
            folder, declarations(), Map.of("format", "pt"), maxShardBytes)) {
      for (TensorEntry tensor : writer.tensors()) {
        byte[] bytes = new byte[(int) tensor.byteLength()];
        Arrays.fill(bytes, (byte) Integer.parseInt(tensor.name().substring(1)));
        writer.write(tensor.name(), ByteBuffer.wrap(bytes, 0, 13));
        writer.write(tensor.name(), ByteBuffer.wrap(bytes, 13, bytes.length - 13));
      }
      return writer.finish();
    }
  }
}
