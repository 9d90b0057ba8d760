package dev.duoka.train.checkpoint;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Sha256;
import dev.duoka.formats.safetensors.WrittenFile;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** Names of the files of a checkpoint, and the small ones among them written. */
final class CheckpointFiles {
  static final String OPTIMIZER = "optimizer.safetensors";
  static final String STATE = "state.json";
  static final String MANIFEST = "manifest.json";
  static final String FIRST_MOMENT = ".exp_avg";
  static final String SECOND_MOMENT = ".exp_avg_sq";

  private CheckpointFiles() {}

  /** The file of a process's moments; of a process that is alone {@link #OPTIMIZER}. */
  static String optimizer(ProcessShare share) {
    return share.isAlone()
        ? OPTIMIZER
        : String.format(
            Locale.ROOT,
            "optimizer-%05d-of-%05d.safetensors",
            share.process() + 1,
            share.processes());
  }

  /** The files of moments that a checkpoint has, in order. */
  static List<Path> optimizers(Path folder) {
    Path only = folder.resolve(OPTIMIZER);
    if (Files.exists(only)) {
      return List.of(only);
    }
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> some =
        Files.newDirectoryStream(folder, "optimizer-*-of-*.safetensors")) {
      some.forEach(files::add);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot list " + folder + ": " + IoReason.of(e), "See who may read it", e);
    }
    files.sort(null);
    return files.isEmpty() ? List.of(only) : files;
  }

  /** Writes a small file durably. */
  static WrittenFile write(Path folder, String name, byte[] content) {
    Path file = folder.resolve(name);
    try {
      CrashSafeFiles.write(file, content);
    } catch (IOException e) {
      throw writing(file, e);
    }
    return new WrittenFile(file, content.length, HexFormat.of().formatHex(Sha256.of(content)));
  }

  /** A failure to write. */
  static DuokaException writing(Path file, IOException cause) {
    boolean full = IoReason.isFull(cause);
    return new DuokaException(
        full ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot write " + file + ": " + IoReason.of(cause),
        full
            ? "Free some space, or keep fewer checkpoints"
            : "Check that the folder is there and writable",
        cause);
  }
}
