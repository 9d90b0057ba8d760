package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.OrdinaryFile;
import dev.duoka.base.PipeStream;
import dev.duoka.machine.topology.Topology;
import dev.duoka.machine.topology.TopologyReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads a captured topology from a file, a pipe, or from standard input for {@code -}. */
final class TopologyFile {
  private static final long LARGEST_PIPE = 2L * TopologyReader.MAX_CHARACTERS;

  private TopologyFile() {}

  static Topology read(Path file) {
    boolean standardInput = isStandardInput(file);
    String name = name(file);
    if (!standardInput) {
      OrdinaryFile.requireThisOrPipe(file, ErrorCode.USAGE);
    }
    try (InputStream stream = standardInput ? System.in : open(file)) {
      byte[] content = stream.readNBytes(TopologyReader.MAX_CHARACTERS + 1);
      return TopologyReader.read(text(content), name);
    } catch (NoSuchFileException e) {
      throw new DuokaException(
          ErrorCode.USAGE, "cannot read " + name + ": there is no such file", "Check the path.", e);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot read "
              + name
              + ": "
              + (Files.isDirectory(file) ? "it is a folder" : IoReason.of(e)),
          "Check that it is a readable file.",
          e);
    }
  }

  /** What messages call it. */
  static String name(Path file) {
    return isStandardInput(file) ? "standard input" : file.toString();
  }

  private static boolean isStandardInput(Path file) {
    return file.toString().equals("-");
  }

  private static InputStream open(Path file) throws IOException {
    return OrdinaryFile.isPipe(file)
        ? PipeStream.open(file, ErrorCode.USAGE, LARGEST_PIPE)
        : Files.newInputStream(file);
  }

  /** UTF-8, or UTF-16 where a byte order mark says so: PowerShell's {@code >} writes that. */
  private static String text(byte[] content) {
    boolean big = content.length > 1 && content[0] == (byte) 0xfe && content[1] == (byte) 0xff;
    boolean little = content.length > 1 && content[0] == (byte) 0xff && content[1] == (byte) 0xfe;
    return new String(content, big || little ? StandardCharsets.UTF_16 : StandardCharsets.UTF_8);
  }
}
