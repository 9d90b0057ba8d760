package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.CheckpointStore;
import dev.duoka.train.checkpoint.StoredModel;
import java.nio.file.Files;
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
 * @param form in which the base of an adapter in PEFT's form is kept; empty for what is known
 */
record NamedModel(String name, Path folder, Optional<Path> base, Optional<BaseForm> form) {
  /** Words with which an adapter is switched. */
  private static final Set<String> SWITCHES = Set.of("on", "off");

  /**
   * The models of a folder.
   *
   * @param path a run, a checkpoint, or a folder in Hugging Face's form
   * @param adapters of it, in PEFT's form, or runs; empty for the folder as it is
   * @param form in which the base is kept beside adapters in PEFT's form, which do not say it;
   *     empty for dense, and for adapters of ours as they were trained
   * @throws DuokaException when an adapter belongs to another base, or two have one name
   */
  static List<NamedModel> of(
      Path path, List<Path> adapters, Optional<BaseForm> form, Consumer<CheckpointEvent> listener) {
    Path folder = CheckpointStore.resolve(path, listener);
    if (adapters.isEmpty()) {
      StoredModel.requireBase(folder);
      NamedModel model = new NamedModel(name(path), folder, Optional.empty(), form);
      model.config(); // a folder that is no model is told as such
      model.requireForm();
      return List.of(model);
    }
    List<NamedModel> models = new ArrayList<>();
    for (Path adapter : adapters) {
      NamedModel model =
          new NamedModel(
              name(adapter), CheckpointStore.resolve(adapter, listener), Optional.of(folder), form);
      model.config(); // what is no adapter is told before anything is read
      model.requireForm();
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
    ModelConfig stored = stored();
    AdapterConfig adapter = stored.adapter();
    return form.isEmpty() || adapter == null ? stored : stored.with(adapter.on(form.get()));
  }

  private ModelConfig stored() {
    return base.map(it -> StoredModel.config(folder, it))
        .orElseGet(() -> StoredModel.config(folder));
  }

  /** Refuses a form that is not asked for, or that is known to be another. */
  private void requireForm() {
    if (form.isEmpty()) {
      return;
    }
    AdapterConfig adapter = stored().adapter();
    if (adapter == null) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot keep " + folder + " in the form " + form.get() + ": it is no adapter's base",
          "Leave --base-form out, or give an adapter with --adapter");
    }
    boolean isPeft = Files.exists(folder.resolve(AdapterFile.FILE_NAME));
    if (!isPeft && adapter.baseForm() != form.get()) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "the adapter of "
              + folder
              + " was trained on a base in the form "
              + adapter.baseForm()
              + ", not "
              + form.get(),
          "Leave --base-form out");
    }
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
