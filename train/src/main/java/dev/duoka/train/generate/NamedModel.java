package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.checkpoint.StoredModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A model to write with: a folder, or one of several adapters of a base that is given.
 *
 * @param name what the user calls it: the last part of the path that was given
 * @param folder of the model, or of the adapter
 * @param base of the adapter; empty where the folder says it, or needs none
 */
record NamedModel(String name, Path folder, Optional<Path> base) {
  /** Words with which an adapter is switched. */
  private static final Set<String> SWITCHES = Set.of("on", "off");

  /**
   * The models of a folder.
   *
   * @param path a run, a checkpoint, or a folder in Hugging Face's form
   * @param adapters of it, in PEFT's form, or runs; empty for the folder as it is
   * @throws DuokaException when an adapter belongs to another base, or two have one name
   */
  static List<NamedModel> of(Path path, List<Path> adapters, Consumer<CheckpointEvent> listener) {
    Path folder = CheckpointStore.resolve(path, listener);
    if (adapters.isEmpty()) {
      StoredModel.requireBase(folder);
      NamedModel model = new NamedModel(name(path), folder, Optional.empty());
      model.config(); // a folder that is no model is told as such
      return List.of(model);
    }
    List<NamedModel> models = new ArrayList<>();
    for (Path adapter : adapters) {
      NamedModel model =
          new NamedModel(
              name(adapter), CheckpointStore.resolve(adapter, listener), Optional.of(folder));
      model.config(); // what is no adapter is told before anything is read
      StoredModel.requireBase(model.folder(), folder);
      if (SWITCHES.contains(model.name())
          || models.stream().anyMatch(it -> it.name().equals(model.name()))) {
        throw new DuokaException(
            ErrorCode.USAGE,
            "cannot call the adapter of " + adapter + " " + model.name() + ": the name is taken",
            "Adapters are called by the last part of their path; give the folder another name");
      }
      models.add(model);
    }
    return models;
  }

  private static String name(Path path) {
    return String.valueOf(path.toAbsolutePath().normalize().getFileName());
  }

  /** The shape, with the adapter. */
  ModelConfig config() {
    return base.map(it -> StoredModel.config(folder, it))
        .orElseGet(() -> StoredModel.config(folder));
  }

  /** Opens its files. */
  StoredModel open() {
    return base.map(it -> StoredModel.open(folder, it)).orElseGet(() -> StoredModel.open(folder));
  }

  /** Where its tokenizer is: beside the base where that is given. */
  Path tokenizerFolder() {
    return StoredModel.tokenizerFolder(base.orElse(folder));
  }
}
