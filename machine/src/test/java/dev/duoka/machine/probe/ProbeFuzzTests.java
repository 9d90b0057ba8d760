package dev.duoka.machine.probe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.DuokaException;
import dev.duoka.machine.testing.FakeMachine;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the bytes, reading ends in a snapshot or in a {@link DuokaException}. */
class ProbeFuzzTests {
  private static final long SEED = 20_261_123;
  private static final String[] BLOWS = {
    "99999999999999999999",
    "-1",
    "N/A",
    "GPU 00000000:01:00.0",
    "\u0000",
    "\t\t\t",
    " : ",
    ",",
    "|",
    "[[[",
    "0xffffffffffffffffffff",
    "Link 99: x",
    "1e308",
    "%%",
    "\u001b[31m",
    "NVSMI LOG",
    "=",
    "GPU 4294967296: X (UUID: GPU-1)",
    "P99",
    "NaN",
    "16x",
    "\n\n\n"
  };

  @TempDir Path folder;

  @Test
  void randomBytes() throws Exception {
    Random random = new Random(SEED);
    for (int round = 0; round < 300; round++) {
      byte[] bytes = new byte[random.nextInt(2000)];
      random.nextBytes(bytes);
      readQuietly(Files.write(folder.resolve("noise"), bytes));
    }
  }

  @Test
  void damagedOutputs() throws Exception {
    Random random = new Random(SEED + 1);
    FakeMachine machine = new FakeMachine(4);
    machine.kernelLog.add("[ 5.1] NVRM: Xid (PCI:0000:10:00): 79, pid=1, GPU has fallen off");
    Path healthy = folder.resolve("healthy");
    machine.write(healthy);
    List<Path> files;
    try (Stream<Path> walk = Files.walk(healthy)) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    int read = 0;
    for (int round = 0; round < 800; round++) {
      String text = Files.readString(files.get(random.nextInt(files.size())));
      StringBuilder damaged = new StringBuilder(text);
      for (int blow = 0; blow <= random.nextInt(8) && !damaged.isEmpty(); blow++) {
        int at = random.nextInt(damaged.length());
        switch (random.nextInt(5)) {
          case 0 -> damaged.insert(at, BLOWS[random.nextInt(BLOWS.length)]);
          case 1 -> damaged.setLength(at);
          case 2 -> damaged.delete(at, Math.min(damaged.length(), at + random.nextInt(200)));
          case 3 -> damaged.setCharAt(at, (char) random.nextInt(0x300));
          default -> damaged.insert(at, damaged.substring(0, Math.min(at, 3000)));
        }
      }
      Path file = folder.resolve("damaged");
      Files.write(file, damaged.toString().getBytes(StandardCharsets.UTF_8));
      read += readQuietly(file) ? 1 : 0;
    }
    assertThat(read).as("damage does not make everything unreadable").isGreaterThan(100);
  }

  @Test
  void damagedFolders() throws Exception {
    Random random = new Random(SEED + 2);
    for (int round = 0; round < 40; round++) {
      Path place = folder.resolve("round" + round);
      new FakeMachine(2).write(place);
      List<Path> files;
      try (Stream<Path> walk = Files.walk(place)) {
        files = walk.filter(Files::isRegularFile).sorted().toList();
      }
      for (int i = 0; i < 4; i++) {
        byte[] bytes = new byte[random.nextInt(400)];
        random.nextBytes(bytes);
        Files.write(files.get(random.nextInt(files.size())), bytes);
      }
      readQuietly(place);
    }
  }

  @Test
  void absurdNumbers() throws Exception {
    StringBuilder list = new StringBuilder();
    for (int i = 0; i < 1500; i++) {
      list.append("GPU " + i + ": Card (UUID: GPU-" + Integer.toHexString(i + 16) + "-1)\n");
    }
    MachineSnapshot snapshot =
        FolderProbe.read(Files.writeString(folder.resolve("many"), list.toString()));
    assertThat(snapshot.gpuList()).hasSize(GpuDrafts.MOST);
  }

  @Test
  void endlessLines() throws Exception {
    for (String part : List.of(" ", "a ", "|  ", "GPU 0: ", "x,", "[", "Link 1: ", "a=b ")) {
      String text = "==NVSMI LOG==\n| NVIDIA-SMI \n" + part.repeat(2_000_000 / part.length());
      readQuietly(Files.writeString(folder.resolve("long"), text));
      readQuietly(Files.writeString(folder.resolve("long"), text.substring(28)));
    }
  }

  private static boolean readQuietly(Path place) {
    try {
      return !FolderProbe.read(place).gpuList().isEmpty();
    } catch (DuokaException e) {
      assertThat(e.getMessage()).isNotBlank();
      return false;
    }
  }
}
