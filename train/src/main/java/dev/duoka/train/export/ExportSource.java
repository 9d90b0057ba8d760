package dev.duoka.train.export;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.adapter.AdapterFolder;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.checkpoint.TokenizerFiles;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What is exported.
 *
 * @param folder a run's, of which the newest valid checkpoint is taken, or a checkpoint
 * @param base where an adapter's base is; empty for where the adapter says
 */
public record ExportSource(Path folder, Optional<Path> base) {
  /** The checkpoint of it. */
  ExportSource resolved(Consumer<CheckpointEvent> listener) {
    Path found = CheckpointStore.resolve(folder, listener);
    AdapterFolder.requireWhole(found);
    return new ExportSource(found, base);
  }

  /** Refuses a base that is not the adapter's. */
  void requireBase() {
    if (base.isEmpty()) {
      StoredModel.requireBase(folder);
    } else if (AdapterConfigFile.isIn(folder)) {
      StoredModel.requireBase(folder, base.get());
    } else {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot export " + folder + " with a base: it is no adapter",
          "Leave --base out");
    }
  }

  /**
   * Where the tokenizer is: beside the adapter, or with its base.
   *
   * @throws DuokaException when there is none
   */
  Path tokenizerFolder() {
    boolean own = TokenizerFiles.isIn(folder);
    Path found = own ? folder : base.orElseGet(() -> StoredModel.tokenizerFolder(folder));
    if (!TokenizerFiles.isIn(found)) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          "cannot export " + folder + ": there is no tokenizer in " + found,
          "Put the model's tokenizer.json there: a folder in Hugging Face's form has one");
    }
    return found;
  }

  StoredModel open() {
    return base.map(it -> StoredModel.open(folder, it)).orElseGet(() -> StoredModel.open(folder));
  }

  ModelConfig config() {
    return base.map(it -> StoredModel.config(folder, it))
        .orElseGet(() -> StoredModel.config(folder));
  }
}
