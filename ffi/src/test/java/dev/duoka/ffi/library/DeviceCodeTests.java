package dev.duoka.ffi.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceCodeTests {
  private static final int PTX = 1;
  private static final int BINARY = 2;

  @TempDir private Path folder;

  /** An ELF file with two containers of device code in its section {@code .nv_fatbin}. */
  private static byte[] library() {
    byte[] names = "\0.nv_fatbin\0.shstrtab\0".getBytes(StandardCharsets.US_ASCII);
    ByteBuffer code = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    container(code, entry(BINARY, 80, 40), entry(BINARY, 90, 100));
    code.position(code.position() + 7 & ~7);
    container(code, entry(BINARY, 120, 8), entry(PTX, 120, 3));
    int codeAt = 64;
    int namesAt = codeAt + code.position();
    int tableAt = namesAt + names.length;
    ByteBuffer elf = ByteBuffer.allocate(tableAt + 3 * 64).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0x464c457f).put((byte) 2).put((byte) 1);
    elf.putLong(0x28, tableAt);
    elf.putShort(0x3a, (short) 64).putShort(0x3c, (short) 3).putShort(0x3e, (short) 2);
    elf.put(codeAt, code.array(), 0, code.position()).put(namesAt, names);
    section(elf, tableAt + 64, 1, codeAt, code.position());
    section(elf, tableAt + 128, 12, namesAt, names.length);
    return elf.array();
  }

  private static void section(ByteBuffer elf, int header, int name, int offset, int size) {
    elf.putInt(header, name).putLong(header + 0x18, offset).putLong(header + 0x20, size);
  }

  private static void container(ByteBuffer to, byte[]... entries) {
    int size = 0;
    for (byte[] entry : entries) {
      size += entry.length;
    }
    to.putInt(0xba55ed50).putShort((short) 1).putShort((short) 16).putLong(size);
    for (byte[] entry : entries) {
      to.put(entry);
    }
  }

  private static byte[] entry(int kind, int architecture, int payload) {
    ByteBuffer entry = ByteBuffer.allocate(64 + payload).order(ByteOrder.LITTLE_ENDIAN);
    entry.putShort((short) kind).putShort((short) 0x101).putInt(64).putLong(payload);
    return entry.putInt(28, architecture).array();
  }

  @Test
  void readsTheArchitecturesOfEveryContainer() throws IOException {
    DeviceCode code = DeviceCode.of(Files.write(folder.resolve("lib.so"), library()));
    assertThat(code.binaries()).containsExactly(80, 90, 120);
    assertThat(code.intermediate()).containsExactly(120);
    assertThat(code.text()).isEqualTo("sm_80 sm_90 sm_120 compute_120");
  }

  @Test
  void tellsWhichCardsCanRunIt() {
    DeviceCode code = new DeviceCode(new TreeSet<>(List.of(80, 90)), new TreeSet<>());
    assertThat(code.runsOn(8, 0)).isTrue();
    assertThat(code.runsOn(8, 9)).isTrue();
    assertThat(code.runsOn(9, 0)).isTrue();
    assertThat(code.runsOn(7, 5)).isFalse();
    assertThat(code.runsOn(10, 0)).isFalse();
    DeviceCode portable = new DeviceCode(new TreeSet<>(), new TreeSet<>(List.of(80)));
    assertThat(portable.runsOn(12, 0)).isTrue();
    assertThat(portable.runsOn(7, 5)).isFalse();
  }

  @Test
  void aFileThatIsNoLibraryIsAnError() throws IOException {
    Path file = Files.writeString(folder.resolve("lib.so"), "x".repeat(100));
    assertThatThrownBy(() -> DeviceCode.of(file))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("ELF");
  }

  @Test
  void damagedFilesGiveAnAnswerOrAnError() throws IOException {
    byte[] good = library();
    long seed = 20_261_123;
    Random random = new Random(seed);
    int answers = 0;
    for (int round = 0; round < 3000; round++) {
      byte[] bad = good.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      Path file = Files.write(folder.resolve("lib.so"), bad);
      try {
        answers += DeviceCode.of(file).text().isEmpty() ? 0 : 1;
      } catch (IOException e) {
        assertThat(e.getMessage()).as("seed %s, round %s", seed, round).contains("ELF");
      }
    }
    assertThat(answers).isPositive();
  }
}
