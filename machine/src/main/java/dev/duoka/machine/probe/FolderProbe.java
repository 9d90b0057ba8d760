package dev.duoka.machine.probe;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads a folder of captured outputs, or one file. What a file is shows in its content, so that
 * outputs which people saved under names of their own are read like those of {@link Capture}.
 */
public final class FolderProbe {
  /** Bytes of one file; kernel logs are the largest. */
  private static final int LARGEST_FILE = 32 << 20;

  /** Characters of one line; the longest real ones are of nvidia-smi's CSV, about 6,000. */
  private static final int LONGEST_LINE = 16_000;

  private static final int MOST_FILES = 2000;
  private static final String WHY = "not in the captured outputs";

  private record Recognised(String name, String text, CaptureKind kind) {}

  private FolderProbe() {}

  /**
   * Reads the captures of one machine.
   *
   * @throws DuokaException where there is nothing to read, where nothing of it is recognised, or
   *     where the files are of different machines
   */
  public static MachineSnapshot read(Path place) {
    SnapshotDraft facts = new SnapshotDraft();
    List<Recognised> files = new ArrayList<>();
    for (Path file : files(place)) {
      String name =
          place.equals(file)
              ? String.valueOf(file.getFileName())
              : place.relativize(file).toString();
      if (name.equals(Capture.MANIFEST) || name.startsWith(Capture.ROOT + "/")) {
        continue;
      }
      if (name.equals(SoftwareFile.NAME)) {
        SoftwareFile.read(file, facts);
        continue;
      }
      String text = text(file);
      if (text.indexOf('\0') >= 0) {
        facts.notes.add(name + " is binary data, and was left out");
        continue;
      }
      PastedOutputs.error(text)
          .ifPresent(line -> facts.notes.add(name + ": nvidia-smi says: " + line));
      List<Recognised> recognised = new ArrayList<>();
      for (String output : PastedOutputs.of(text)) {
        CaptureKind.of(output)
            .ifPresent(kind -> recognised.add(new Recognised(name, output, kind)));
      }
      files.addAll(recognised);
      if (recognised.isEmpty() && !text.isBlank()) {
        facts.notes.add(name + " is not an output that is known here, and was left out");
      }
    }
    files.sort(Comparator.comparing(Recognised::kind).thenComparing(Recognised::name));
    files.forEach(file -> file.kind().read(file.text(), facts, file.name()));
    Path root = place.resolve(Capture.ROOT);
    if (Files.isDirectory(root)) {
      SystemFiles system = new SystemFiles(root);
      new HostProbe(system, facts).read();
      PciProbe.read(system, facts);
    } else if (files.isEmpty()) {
      Optional<String> said =
          facts.notes.stream().filter(note -> note.contains(": nvidia-smi says: ")).findFirst();
      if (said.isPresent()) {
        throw new DuokaException(
            ErrorCode.FORMAT,
            "found no GPU in " + place + ": " + said.get(),
            "That line names the fault; './duoka diagnose " + place + "' says what to do");
      }
      throw new DuokaException(
          ErrorCode.FORMAT,
          "found no output that is known here in " + place,
          "Name a folder with outputs of nvidia-smi -q, nvidia-smi topo -m, lspci -vvv, dmesg and"
              + " the like, or make one on the machine with './duoka doctor --capture DIR'");
    }
    return SnapshotBuilder.build(facts, place.toString(), false, WHY);
  }

  private static List<Path> files(Path place) {
    if (Files.isRegularFile(place)) {
      return List.of(place);
    }
    try (Stream<Path> walk = Files.walk(place, 12)) {
      return walk.filter(Files::isRegularFile).limit(MOST_FILES).sorted().toList();
    } catch (IOException | UncheckedIOException e) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot read "
              + place
              + ": "
              + IoReason.of(
                  e instanceof UncheckedIOException un
                      ? Objects.requireNonNull(un.getCause())
                      : (IOException) e),
          "Name a folder of captured outputs",
          e);
    }
  }

  private static String text(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return shortLines(CaptureText.of(in.readNBytes(LARGEST_FILE)));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "Check its permissions", e);
    }
  }

  /** What is no line of any tool would only cost time. */
  private static String shortLines(String text) {
    return text.lines().allMatch(line -> line.length() <= LONGEST_LINE)
        ? text
        : text.lines()
            .filter(line -> line.length() <= LONGEST_LINE)
            .collect(Collectors.joining("\n"));
  }
}
