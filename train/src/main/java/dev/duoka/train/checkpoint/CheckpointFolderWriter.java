package dev.duoka.train.checkpoint;

import dev.duoka.base.ByteSize;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFolderWriter;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.StoredDtype;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.formats.safetensors.WrittenFile;
import dev.duoka.model.weight.CheckpointTensor;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Writes a snapshot as a checkpoint's folder: under a temporary name first, with everything synced
 * before it gets its own, so that a folder of that name is complete whenever the process dies.
 */
final class CheckpointFolderWriter {
  /** Bytes of weights per file, as Hugging Face's own tools divide them. */
  static final long SHARD_BYTES = 5_000_000_000L;

  /** A folder that is being written. */
  static final String WRITING = ".writing-";

  /** A complete folder that one of the same step is about to replace. */
  static final String REPLACED = ".replaced-";

  /** Room for the headers of the tensor files. */
  private static final long HEADER_BYTES = 1 << 20;

  /** What was written. */
  record Result(Checkpoint checkpoint, long bytes) {}

  private final TokenizerFiles tokenizer;
  private final long shardBytes;
  private final Consumer<Path> afterFile;

  CheckpointFolderWriter(TokenizerFiles tokenizer) {
    this(tokenizer, SHARD_BYTES, _ -> {});
  }

  /**
   * For tests.
   *
   * @param afterFile called when the space has been checked, and after each group of files
   */
  CheckpointFolderWriter(TokenizerFiles tokenizer, long shardBytes, Consumer<Path> afterFile) {
    this.tokenizer = tokenizer;
    this.shardBytes = shardBytes;
    this.afterFile = afterFile;
  }

  /**
   * Writes the checkpoint into {@code parent}.
   *
   * @throws DuokaException when it could not be written; then nothing of it is left
   */
  Result write(Path parent, TrainingSnapshot snapshot, TrainingState state) {
    String name = Checkpoint.name(state.step());
    Path temporary = parent.resolve(WRITING + name);
    boolean complete = false;
    try {
      Files.createDirectories(parent);
      CrashSafeFiles.deleteTree(temporary);
      Files.createDirectory(temporary);
      CheckpointManifest manifest = writeFiles(temporary, snapshot, state);
      Path folder = parent.resolve(name);
      moveIntoPlace(temporary, folder);
      complete = true;
      return new Result(new Checkpoint(folder, state.step()), manifest.bytes());
    } catch (IOException e) {
      throw CheckpointFiles.writing(temporary, e);
    } finally {
      if (!complete) {
        deleteQuietly(temporary);
      }
    }
  }

  private CheckpointManifest writeFiles(Path folder, TrainingSnapshot snapshot, TrainingState state)
      throws IOException {
    List<TensorDeclaration> weights = weights(snapshot);
    List<TensorDeclaration> moments = moments(snapshot);
    checkSpace(folder, weights, moments);
    afterFile.accept(folder);
    List<WrittenFile> written = new ArrayList<>(writeWeights(folder, weights, snapshot));
    afterFile.accept(folder);
    written.add(writeMoments(folder, moments, snapshot));
    afterFile.accept(folder);
    String config = Json.pretty(ConfigComparison.json(snapshot));
    written.add(
        CheckpointFiles.write(
            folder, ModelConfigReader.FILE_NAME, config.getBytes(StandardCharsets.UTF_8)));
    for (Map.Entry<String, byte[]> file : tokenizer.files().entrySet()) {
      written.add(CheckpointFiles.write(folder, file.getKey(), file.getValue()));
    }
    byte[] stateJson = new StateJson(state, tokenizer.name()).encode();
    written.add(CheckpointFiles.write(folder, CheckpointFiles.STATE, stateJson));
    afterFile.accept(folder);
    CheckpointManifest manifest = CheckpointManifest.of(written);
    CheckpointFiles.write(folder, CheckpointFiles.MANIFEST, manifest.encode());
    CrashSafeFiles.syncFolder(folder);
    return manifest;
  }

  private List<WrittenFile> writeWeights(
      Path folder, List<TensorDeclaration> declarations, TrainingSnapshot snapshot) {
    try (SafetensorsFolderWriter writer =
        SafetensorsFolderWriter.create(folder, declarations, Map.of("format", "pt"), shardBytes)) {
      for (TensorEntry entry : writer.tensors()) {
        String name = entry.name();
        Tensor buffer = snapshot.buffers().get(name);
        if (buffer != null) {
          HostCopy.read(buffer, (_, chunk) -> writer.write(name, chunk));
        } else {
          try (Tensor part = part(snapshot, name, snapshot.master())) {
            HostCopy.read(part, (_, chunk) -> writer.write(name, chunk));
          }
        }
      }
      return writer.finish();
    }
  }

  private static WrittenFile writeMoments(
      Path folder, List<TensorDeclaration> declarations, TrainingSnapshot snapshot) {
    Path file = folder.resolve(CheckpointFiles.OPTIMIZER);
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
      for (TensorEntry entry : writer.tensors()) {
        boolean second = entry.name().endsWith(CheckpointFiles.SECOND_MOMENT);
        String suffix = second ? CheckpointFiles.SECOND_MOMENT : CheckpointFiles.FIRST_MOMENT;
        String weight = entry.name().substring(0, entry.name().length() - suffix.length());
        Tensor flat = second ? snapshot.secondMoment() : snapshot.firstMoment();
        try (Tensor part = part(snapshot, weight, flat)) {
          HostCopy.read(part, (_, chunk) -> writer.write(entry.name(), chunk));
        }
      }
      return writer.finish();
    }
  }

  private static Tensor part(TrainingSnapshot snapshot, String name, Tensor flat) {
    CheckpointTensor place = snapshot.layout().tensor(name);
    return Views.narrow(flat, 0, place.offset(), place.elements());
  }

  private static List<TensorDeclaration> weights(TrainingSnapshot snapshot) {
    StoredDtype dtype = StoredTensors.stored(snapshot.master().dtype());
    List<TensorDeclaration> declarations = new ArrayList<>();
    for (CheckpointTensor tensor : snapshot.layout().inOrder()) {
      declarations.add(new TensorDeclaration(tensor.name(), dtype, tensor.shape()));
    }
    snapshot
        .buffers()
        .forEach(
            (name, buffer) ->
                declarations.add(
                    new TensorDeclaration(
                        name, StoredTensors.stored(buffer.dtype()), List.of(buffer.elements()))));
    return declarations;
  }

  private static List<TensorDeclaration> moments(TrainingSnapshot snapshot) {
    StoredDtype dtype = StoredTensors.stored(snapshot.firstMoment().dtype());
    List<TensorDeclaration> declarations = new ArrayList<>();
    for (CheckpointTensor tensor : snapshot.layout().inOrder()) {
      for (String suffix : List.of(CheckpointFiles.FIRST_MOMENT, CheckpointFiles.SECOND_MOMENT)) {
        declarations.add(new TensorDeclaration(tensor.name() + suffix, dtype, tensor.shape()));
      }
    }
    return declarations;
  }

  /** Says at once, rather than after minutes of writing, that the checkpoint cannot fit. */
  private static void checkSpace(
      Path folder, List<TensorDeclaration> weights, List<TensorDeclaration> moments)
      throws IOException {
    long needed = HEADER_BYTES;
    for (TensorDeclaration tensor : weights) {
      needed += tensor.byteLength();
    }
    for (TensorDeclaration tensor : moments) {
      needed += tensor.byteLength();
    }
    long free = Files.getFileStore(folder).getUsableSpace();
    // Some network file systems do not know and say 0.
    if (free > 0 && free < needed) {
      throw new DuokaException(
          ErrorCode.NO_SPACE,
          "cannot write "
              + folder.getParent()
              + ": a checkpoint takes "
              + ByteSize.text(needed)
              + " and the file system has "
              + ByteSize.text(free)
              + " left",
          "Free some space, or keep fewer checkpoints");
    }
  }

  /** A checkpoint of the same step, from before a resume, makes room only at the last moment. */
  private static void moveIntoPlace(Path temporary, Path folder) throws IOException {
    Path replaced = folder.resolveSibling(REPLACED + folder.getFileName());
    if (Files.exists(folder)) {
      CrashSafeFiles.deleteTree(replaced);
      Files.move(folder, replaced, StandardCopyOption.ATOMIC_MOVE);
    }
    CrashSafeFiles.moveIntoPlace(temporary, folder);
    CrashSafeFiles.deleteTree(replaced);
  }

  private static void deleteQuietly(Path temporary) {
    try {
      CrashSafeFiles.deleteTree(temporary);
    } catch (IOException e) {
      // The error that led here is the one to report; the next session deletes what is left.
    }
  }
}
