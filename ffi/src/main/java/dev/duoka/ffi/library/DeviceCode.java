package dev.duoka.ffi.library;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The GPU architectures that a CUDA library holds code for.
 *
 * @param binaries compute capabilities with machine code, as {@code 10 · major + minor}
 * @param intermediate compute capabilities with PTX, which the driver compiles for later cards
 */
public record DeviceCode(SortedSet<Integer> binaries, SortedSet<Integer> intermediate) {
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int ELF_MAGIC = 0x464c457f;
  private static final int FATBIN_MAGIC = 0xba55ed50;
  private static final int KIND_PTX = 1;
  private static final int ARCHITECTURE_OFFSET = 28;

  /**
   * Whether a card can run the code: machine code runs on cards of the same major and the same or a
   * later minor capability, PTX on every later card.
   */
  public boolean runsOn(int major, int minor) {
    int card = 10 * major + minor;
    return binaries.stream().anyMatch(code -> code / 10 == major && code <= card)
        || intermediate.stream().anyMatch(code -> code <= card);
  }

  /** For example {@code sm_80 sm_90 compute_90}. */
  public String text() {
    StringBuilder text = new StringBuilder();
    binaries.forEach(code -> text.append(" sm_").append(code));
    intermediate.forEach(code -> text.append(" compute_").append(code));
    return text.isEmpty() ? "none" : text.substring(1);
  }

  /**
   * Reads the headers of the code containers in the ELF section {@code .nv_fatbin}.
   *
   * @throws IOException when the file cannot be read or is not a 64-bit ELF file
   */
  public static DeviceCode of(Path library) throws IOException {
    SortedSet<Integer> binaries = new TreeSet<>();
    SortedSet<Integer> intermediate = new TreeSet<>();
    try (FileChannel channel = FileChannel.open(library);
        Arena arena = Arena.ofConfined()) {
      MemorySegment file = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
      MemorySegment section = section(file, ".nv_fatbin");
      long position = 0;
      while (position + 16 <= section.byteSize()) {
        if (section.get(INT, position) != FATBIN_MAGIC) {
          position += 8; // padding between containers
          continue;
        }
        long end = position + section.get(SHORT, position + 6) + section.get(LONG, position + 8);
        long entry = position + section.get(SHORT, position + 6);
        if (end <= position || end > section.byteSize()) {
          break;
        }
        while (entry + ARCHITECTURE_OFFSET + 4 <= end) {
          int architecture = section.get(INT, entry + ARCHITECTURE_OFFSET);
          (section.get(SHORT, entry) == KIND_PTX ? intermediate : binaries).add(architecture);
          long next = entry + section.get(INT, entry + 4) + section.get(LONG, entry + 8);
          if (next <= entry) {
            break;
          }
          entry = next;
        }
        position = end + (-end & 7);
      }
    } catch (IndexOutOfBoundsException e) {
      throw new IOException("malformed ELF file: " + library, e);
    }
    return new DeviceCode(binaries, intermediate);
  }

  private static MemorySegment section(MemorySegment file, String name) throws IOException {
    if (file.byteSize() < 64
        || file.get(INT, 0) != ELF_MAGIC
        || file.get(ValueLayout.JAVA_BYTE, 4) != 2) {
      throw new IOException("not a 64-bit ELF file");
    }
    long table = file.get(LONG, 0x28);
    int size = file.get(SHORT, 0x3a) & 0xffff;
    int count = file.get(SHORT, 0x3c) & 0xffff;
    int nameIndex = file.get(SHORT, 0x3e) & 0xffff;
    long names = file.get(LONG, table + (long) nameIndex * size + 0x18);
    for (int i = 0; i < count; i++) {
      long header = table + (long) i * size;
      long nameAt = names + (file.get(INT, header) & 0xffffffffL);
      MemorySegment text = file.asSlice(nameAt, Math.min(32, file.byteSize() - nameAt));
      if (startsWith(text, name)) {
        return file.asSlice(file.get(LONG, header + 0x18), file.get(LONG, header + 0x20));
      }
    }
    return MemorySegment.ofArray(new byte[0]);
  }

  private static boolean startsWith(MemorySegment text, String name) {
    if (text.byteSize() <= name.length()) {
      return false;
    }
    for (int i = 0; i < name.length(); i++) {
      if (text.get(ValueLayout.JAVA_BYTE, i) != name.charAt(i)) {
        return false;
      }
    }
    return text.get(ValueLayout.JAVA_BYTE, name.length()) == 0;
  }
}
