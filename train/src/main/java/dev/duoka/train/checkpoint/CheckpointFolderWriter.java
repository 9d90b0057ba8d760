package dev.duoka.train.checkpoint;

import dev.duoka.base.ByteSize;
import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
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
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Writes a snapshot as a checkpoint's folder: under a temporary name first, with everything synced
 * before it gets its own, so that a folder of that name is complete whenever the process dies. Of
 * several processes each writes its share, and process 0 the rest when the others have theirs.
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
  private final ProcessShare share;
  private final long shardBytes;
  private final Consumer<Path> afterFile;

  CheckpointFolderWriter(TokenizerFiles tokenizer, ProcessShare share) {
    this(tokenizer, share, SHARD_BYTES, _ -> {});
  }

  /**
   * For tests.
   *
   * @param afterFile called when the space has been checked, and after each group of files
   */
  CheckpointFolderWriter(
      TokenizerFiles tokenizer, ProcessShare share, long shardBytes, Consumer<Path> afterFile) {
    this.tokenizer = tokenizer;
    this.share = share;
    this.shardBytes = shardBytes;
    this.afterFile = afterFile;
  }

  /**
   * Makes the folder in which a checkpoint is written, before any process writes to it.
   *
   * @param parent the folder of all checkpoints
   */
  void begin(Path parent, long step) {
    Path temporary = temporary(parent, step);
    try {
      Files.createDirectories(parent);
      CrashSafeFiles.deleteTree(temporary);
      Files.createDirectory(temporary);
    } catch (IOException e) {
      throw CheckpointFiles.writing(temporary, e);
    }
  }

  /** Takes away what was begun and will not be written. */
  void giveUp(Path parent, long step) {
    deleteQuietly(temporary(parent, step));
  }

  /** Which of the processes that write this one is. */
  ProcessShare share() {
    return share;
  }

  private static Path temporary(Path parent, long step) {
    return parent.resolve(WRITING + Checkpoint.name(step));
  }

  /**
   * Writes the checkpoint into {@code parent}, where it was begun; process 0 waits for what the
   * others write.
   *
   * @param abandoned whether it is known that the others' files will not come
   * @throws DuokaException when it could not be written; then nothing of it is left
   */
  Result write(
      Path parent, TrainingSnapshot snapshot, TrainingState state, BooleanSupplier abandoned) {
    Path temporary = temporary(parent, state.step());
    boolean complete = false;
    try {
      CheckpointManifest manifest = writeFiles(temporary, snapshot, state, abandoned);
      Path folder = parent.resolve(Checkpoint.name(state.step()));
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

  /** Writes the share of a process other than 0, which hears how it went. */
  void writePart(Path parent, TrainingSnapshot snapshot, long step) {
    Path folder = temporary(parent, step);
    CheckpointParts parts = new CheckpointParts(folder);
    String problem = "it ended in an error of the program";
    boolean complete = false;
    try {
      parts.done(share.process(), CheckpointManifest.of(writeTensors(folder, snapshot)));
      complete = true;
    } catch (DuokaException e) {
      problem = String.valueOf(e.getMessage());
      throw e;
    } finally {
      if (!complete) {
        parts.failed(share.process(), problem);
      }
    }
  }

  private CheckpointManifest writeFiles(
      Path folder, TrainingSnapshot snapshot, TrainingState state, BooleanSupplier abandoned)
      throws IOException {
    checkSpace(folder, snapshot);
    afterFile.accept(folder);
    List<WrittenFile> written = writeTensors(folder, snapshot);
    String config = Json.pretty(ConfigComparison.json(snapshot));
    written.add(
        CheckpointFiles.write(
            folder, ModelConfigReader.FILE_NAME, config.getBytes(StandardCharsets.UTF_8)));
    AdapterConfig adapter = snapshot.config().adapter();
    if (adapter != null) {
      Optional<String> base = Optional.ofNullable(state.identity().get(BaseWeights.FOLDER));
      boolean tying = snapshot.config().tieEmbeddings() && AdapterConfigFile.trainsEnds(adapter);
      String json = Json.pretty(new AdapterConfigFile(adapter, base, tying).json());
      written.add(
          CheckpointFiles.write(
              folder, AdapterConfigFile.FILE_NAME, json.getBytes(StandardCharsets.UTF_8)));
    }
    for (Map.Entry<String, byte[]> file : tokenizer.files().entrySet()) {
      written.add(CheckpointFiles.write(folder, file.getKey(), file.getValue()));
    }
    byte[] stateJson = new StateJson(state, tokenizer.name()).encode();
    written.add(CheckpointFiles.write(folder, CheckpointFiles.STATE, stateJson));
    afterFile.accept(folder);
    CheckpointManifest manifest =
        CheckpointManifest.of(written)
            .with(new CheckpointParts(folder).await(share.processes(), abandoned));
    CheckpointFiles.write(folder, CheckpointFiles.MANIFEST, manifest.encode());
    CrashSafeFiles.syncFolder(folder);
    return manifest;
  }

  /** Weights and moments of this process's share. */
  private List<WrittenFile> writeTensors(Path folder, TrainingSnapshot snapshot) {
    List<WrittenFile> written = new ArrayList<>(writeWeights(folder, snapshot));
    afterFile.accept(folder);
    written.add(writeMoments(folder, snapshot));
    afterFile.accept(folder);
    return written;
  }

  private List<WrittenFile> writeWeights(Path folder, TrainingSnapshot snapshot) {
    List<List<TensorDeclaration>> groups = new ArrayList<>();
    for (int process = 0; process < share.processes(); process++) {
      groups.add(weights(snapshot, process));
    }
    try (SafetensorsFolderWriter writer =
        SafetensorsFolderWriter.createPart(
            folder, groups, share.process(), Map.of("format", "pt"), shardBytes)) {
      for (TensorEntry entry : writer.tensors()) {
        String name = entry.name();
        Tensor buffer = snapshot.buffers().get(name);
        if (buffer != null) {
          HostCopy.read(buffer, (_, chunk) -> writer.write(name, chunk));
          continue;
        }
        SharedTensors of = snapshot.trained().has(name) ? snapshot.trained() : snapshot.frozen();
        try (Tensor part = of.part(name, TrainingSnapshot.MASTER)) {
          HostCopy.read(part, (_, chunk) -> writer.write(name, chunk));
        }
      }
      return writer.finish();
    }
  }

  private WrittenFile writeMoments(Path folder, TrainingSnapshot snapshot) {
    List<TensorDeclaration> declarations = moments(snapshot, share.process());
    Path file = folder.resolve(CheckpointFiles.optimizer(share));
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
      for (TensorEntry entry : writer.tensors()) {
        boolean second = entry.name().endsWith(CheckpointFiles.SECOND_MOMENT);
        String suffix = second ? CheckpointFiles.SECOND_MOMENT : CheckpointFiles.FIRST_MOMENT;
        String weight = entry.name().substring(0, entry.name().length() - suffix.length());
        int state = second ? TrainingSnapshot.SECOND_MOMENT : TrainingSnapshot.FIRST_MOMENT;
        try (Tensor part = snapshot.trained().part(weight, state)) {
          HostCopy.read(part, (_, chunk) -> writer.write(entry.name(), chunk));
        }
      }
      return writer.finish();
    }
  }

  /** What a process writes of weights; those that are trained come first. */
  private static List<TensorDeclaration> weights(TrainingSnapshot snapshot, int process) {
    List<TensorDeclaration> declarations = new ArrayList<>();
    for (SharedTensors tensors : List.of(snapshot.trained(), snapshot.frozen())) {
      StateShare of = tensors.shares().get(process);
      StoredDtype dtype = dtype(tensors);
      for (CheckpointTensor tensor : of.tensors()) {
        declarations.add(new TensorDeclaration(tensor.name(), dtype, tensor.shape()));
      }
      of.buffers()
          .forEach(
              (name, length) ->
                  declarations.add(new TensorDeclaration(name, dtype, List.of(length))));
    }
    return declarations;
  }

  private static StoredDtype dtype(SharedTensors tensors) {
    return StoredTensors.stored(tensors.states().getFirst().dtype());
  }

  private static List<TensorDeclaration> moments(TrainingSnapshot snapshot, int process) {
    StoredDtype dtype = dtype(snapshot.trained());
    List<TensorDeclaration> declarations = new ArrayList<>();
    for (CheckpointTensor tensor : snapshot.trained().shares().get(process).tensors()) {
      for (String suffix : List.of(CheckpointFiles.FIRST_MOMENT, CheckpointFiles.SECOND_MOMENT)) {
        declarations.add(new TensorDeclaration(tensor.name() + suffix, dtype, tensor.shape()));
      }
    }
    return declarations;
  }

  /** Says at once, rather than after minutes of writing, that the checkpoint cannot fit. */
  private static void checkSpace(Path folder, TrainingSnapshot snapshot) throws IOException {
    long needed = HEADER_BYTES;
    for (int process = 0; process < snapshot.trained().shares().size(); process++) {
      for (TensorDeclaration tensor : weights(snapshot, process)) {
        needed += tensor.byteLength();
      }
      for (TensorDeclaration tensor : moments(snapshot, process)) {
        needed += tensor.byteLength();
      }
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
