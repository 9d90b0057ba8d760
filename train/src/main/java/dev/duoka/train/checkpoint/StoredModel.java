package dev.duoka.train.checkpoint;

import dev.duoka.base.Progress;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.CheckpointWeights;
import dev.duoka.model.weight.WeightReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A model in a folder, opened: in Hugging Face's form, a checkpoint, or an adapter and the base
 * that it names, be it in PEFT's form or a checkpoint.
 */
public final class StoredModel implements AutoCloseable {
  private final Path folder;
  private final Path baseFolder;
  private final ModelConfig config;
  private final SafetensorsFolder files;
  private final CheckpointWeights base;
  private final @Nullable SafetensorsFolder adapter;
  private final boolean isPeft;

  private StoredModel(
      Path folder,
      Path baseFolder,
      ModelConfig config,
      SafetensorsFolder files,
      CheckpointWeights base,
      @Nullable SafetensorsFolder adapter,
      boolean isPeft) {
    this.folder = folder;
    this.baseFolder = baseFolder;
    this.config = config;
    this.files = files;
    this.base = base;
    this.adapter = adapter;
    this.isPeft = isPeft;
  }

  /** Opens a folder. */
  public static StoredModel open(Path folder) {
    Path baseFolder = baseFolder(folder);
    ModelConfig config = config(folder);
    SafetensorsFolder files = SafetensorsFolder.open(baseFolder);
    boolean opened = false;
    try {
      CheckpointWeights base = CheckpointWeights.of(files);
      boolean isPeft = Files.exists(folder.resolve(AdapterFile.FILE_NAME));
      SafetensorsFolder adapter = null;
      if (config.adapter() != null) {
        adapter =
            isPeft
                ? SafetensorsFolder.open(folder, AdapterFile.FILE_NAME)
                : SafetensorsFolder.open(folder);
      }
      opened = true;
      return new StoredModel(folder, baseFolder, config, files, base, adapter, isPeft);
    } finally {
      if (!opened) {
        files.close();
      }
    }
  }

  /** The shape of a folder's model, with its adapter if it has one. */
  public static ModelConfig config(Path folder) {
    if (!AdapterConfigFile.isIn(folder)) {
      return ModelConfigReader.read(folder);
    }
    boolean own = Files.exists(folder.resolve(ModelConfigReader.FILE_NAME));
    return ModelConfigReader.read(own ? folder : baseFolder(folder))
        .with(AdapterConfigFile.read(folder).adapter());
  }

  /** Where the weights of a folder's model are that are not an adapter's. */
  public static Path baseFolder(Path folder) {
    return AdapterConfigFile.isIn(folder)
        ? AdapterConfigFile.read(folder).baseFolder(folder)
        : folder;
  }

  /** Where the tokenizer of a folder's model is: in it, or of an adapter beside the base. */
  public static Path tokenizerFolder(Path folder) {
    boolean own =
        Files.exists(folder.resolve(TokenizerFiles.MAIN))
            || Files.exists(folder.resolve(CheckpointFiles.STATE));
    return own ? folder : baseFolder(folder);
  }

  /**
   * Refuses an adapter's checkpoint whose base is not the one that it was trained on. Reads all of
   * the base.
   */
  public static void requireBase(Path folder) {
    if (AdapterConfigFile.isIn(folder)) {
      BaseWeights.require(folder, baseFolder(folder));
    }
  }

  /** The shape, with the adapter. */
  public ModelConfig config() {
    return config;
  }

  /** The weights that are not an adapter's. */
  public CheckpointWeights base() {
    return base;
  }

  /** The folder of {@link #base}. */
  public Path baseFolder() {
    return baseFolder;
  }

  /**
   * What an adapter's checkpoint holds, or PEFT's file; empty where there is no adapter.
   *
   * @see #isPeft
   */
  public Optional<SafetensorsFolder> adapter() {
    return Optional.ofNullable(adapter);
  }

  /** Whether the adapter is in PEFT's form. */
  public boolean isPeft() {
    return isPeft;
  }

  /** Fills what is here of a model of this shape. */
  public void read(LanguageModel model, Progress progress) {
    WeightReader.readAll(base, model.baseWeights(), model.buffers(), progress);
    if (adapter != null && isPeft) {
      boolean whole = model.held().stream().anyMatch(range -> range.end() == Integer.MAX_VALUE);
      AdapterFile.read(adapter, model.weights(), whole && model.held().getFirst().embeds());
    } else if (adapter != null) {
      WeightReader.readAll(CheckpointWeights.plain(adapter), model.trainedWeights(), List.of());
    }
  }

  /** The folder's path. */
  public Path folder() {
    return folder;
  }

  @Override
  public void close() {
    files.close();
    if (adapter != null) {
      adapter.close();
    }
  }
}
