package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.base.Resources;
import dev.duoka.engine.parameter.HeldRange;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.adapter.AdapterFolder;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.CheckpointWeights;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A model in a folder, opened: in Hugging Face's form, a checkpoint, or an adapter and the base
 * that it names, be it in PEFT's form or a checkpoint; of a checkpoint, also a base that a seed
 * drew.
 */
public final class StoredModel implements AutoCloseable {
  /** The weights that are not an adapter's. */
  private sealed interface Base {}

  private record Stored(Path folder, SafetensorsFolder files, CheckpointWeights weights)
      implements Base {}

  private record Drawn(long seed) implements Base {}

  private final Path folder;
  private final ModelConfig config;
  private final Base base;
  private final @Nullable SafetensorsFolder adapter;
  private final boolean isPeft;

  private StoredModel(
      Path folder,
      ModelConfig config,
      Base base,
      @Nullable SafetensorsFolder adapter,
      boolean isPeft) {
    this.folder = folder;
    this.config = config;
    this.base = base;
    this.adapter = adapter;
    this.isPeft = isPeft;
  }

  /** Opens a folder. */
  public static StoredModel open(Path folder) {
    OptionalLong seed = BaseWeights.seed(folder);
    return seed.isPresent()
        ? open(folder, config(folder), _ -> new Drawn(seed.getAsLong()))
        : open(folder, config(folder), it -> stored(baseFolder(folder), it));
  }

  /**
   * Opens an adapter beside a base that is given.
   *
   * @param adapter in PEFT's form or a checkpoint; which base it names has no meaning
   * @param base with a {@code config.json} and all weights
   */
  public static StoredModel open(Path adapter, Path base) {
    return open(adapter, config(adapter, base), it -> stored(base, it));
  }

  private static StoredModel open(
      Path folder, ModelConfig config, Function<Resources, Base> opening) {
    try (Resources opened = new Resources()) {
      Base base = opening.apply(opened);
      boolean isPeft = Files.exists(folder.resolve(AdapterFile.FILE_NAME));
      SafetensorsFolder adapter = null;
      if (config.adapter() != null && isPeft) {
        adapter = opened.own(SafetensorsFolder.open(folder, AdapterFile.FILE_NAME));
        AdapterFile.require(adapter, ModelFactory.declared(config, 0).weights());
      } else if (config.adapter() != null) {
        adapter = opened.own(SafetensorsFolder.open(folder));
      }
      opened.release();
      return new StoredModel(folder, config, base, adapter, isPeft);
    }
  }

  private static Stored stored(Path folder, Resources opened) {
    SafetensorsFolder files = opened.own(SafetensorsFolder.open(folder));
    return new Stored(folder, files, CheckpointWeights.of(files));
  }

  /** The shape of a folder's model, with its adapter if it has one. */
  public static ModelConfig config(Path folder) {
    AdapterFolder.requireWhole(folder);
    if (!AdapterConfigFile.isIn(folder)) {
      return ModelConfigReader.read(folder);
    }
    boolean own = Files.exists(folder.resolve(ModelConfigReader.FILE_NAME));
    return with(folder, ModelConfigReader.read(own ? folder : baseFolder(folder)));
  }

  /** What the file says, and the form that the base was kept in where that is known. */
  private static ModelConfig with(Path adapter, ModelConfig base) {
    AdapterConfigFile file = AdapterConfigFile.read(adapter);
    boolean isPeft = Files.exists(adapter.resolve(AdapterFile.FILE_NAME));
    AdapterConfig config = isPeft ? file.beside(base.tieEmbeddings(), adapter) : file.adapter();
    return base.with(config.on(BaseWeights.form(adapter)));
  }

  /** The shape of a base with an adapter that may name another. */
  public static ModelConfig config(Path adapter, Path base) {
    AdapterFolder.requireWhole(adapter);
    if (!AdapterConfigFile.isIn(adapter)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          adapter + " is no adapter: it has no " + AdapterConfigFile.FILE_NAME,
          "Give a folder in PEFT's form, or a run that trained an adapter");
    }
    if (AdapterConfigFile.isIn(base)) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot use an adapter beside " + base + ", which is one itself",
          "Give the folder of the base first, and all adapters as such");
    }
    return with(adapter, ModelConfigReader.read(base));
  }

  /** Refuses an adapter's checkpoint that was trained on another base than this. */
  public static void requireBase(Path adapter, Path base) {
    BaseWeights.require(adapter, base);
  }

  /** Where the weights of a folder's model are that are not an adapter's. */
  private static Path baseFolder(Path folder) {
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
   * the base unless its hash is known.
   */
  public static void requireBase(Path folder) {
    OptionalLong seed = BaseWeights.seed(folder);
    if (seed.isPresent()) {
      BaseWeights.requireDrawn(folder, seed.getAsLong(), config(folder));
    } else if (AdapterConfigFile.isIn(folder)) {
      BaseWeights.require(folder, baseFolder(folder));
    }
  }

  /** The shape, with the adapter. */
  public ModelConfig config() {
    return config;
  }

  /**
   * The weights that are not an adapter's; empty where no folder holds them, because they were
   * drawn from a seed.
   */
  public Optional<CheckpointWeights> base() {
    return switch (base) {
      case Stored stored -> Optional.of(stored.weights());
      case Drawn _ -> Optional.empty();
    };
  }

  /** The folder of {@link #base}. */
  public Optional<Path> baseFolder() {
    return switch (base) {
      case Stored stored -> Optional.of(stored.folder());
      case Drawn _ -> Optional.empty();
    };
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

  /**
   * Fills the adapter of a model of this shape, and what it trained whole, alone: the base is
   * there.
   *
   * @throws DuokaException when the adapter does not fit; the model is then to be read anew
   */
  public void readAdapter(LanguageModel model) {
    if (adapter != null && isPeft) {
      AdapterFile.read(adapter, model.weights());
    } else if (adapter != null) {
      WeightReader.readAll(CheckpointWeights.plain(adapter), model.trainedWeights(), List.of());
    }
  }

  /**
   * Gives weights that an adapter has trained whole the numbers of its base, or its own again; does
   * nothing where there are none.
   */
  public void readTrainedWhole(LanguageModel model, boolean ofBase) {
    Set<Parameter> whole =
        model.trainedWeights().stream()
            .filter(weight -> !weight.isAdapter())
            .map(Weight::parameter)
            .collect(
                Collectors.toCollection(() -> Collections.newSetFromMap(new IdentityHashMap<>())));
    if (config.adapter() == null || whole.isEmpty()) {
      return;
    }
    if (!ofBase) {
      readAdapter(model);
      return;
    }
    switch (base) {
      case Stored stored ->
          WeightReader.readAll(
              stored.weights(),
              model.baseWeights().stream().filter(it -> whole.contains(it.parameter())).toList(),
              List.of());
      case Drawn(long seed) ->
          WeightInitializer.initialize(
              model, seed, it -> whole.contains(it) ? HeldRange.ALL : HeldRange.NONE);
    }
  }

  /** Fills what is here of a model of this shape; a base that was drawn is drawn again. */
  public void read(LanguageModel model, Progress progress) {
    switch (base) {
      case Stored stored ->
          WeightReader.readAll(stored.weights(), model.baseWeights(), model.buffers(), progress);
      case Drawn(long seed) -> WeightInitializer.initialize(model, seed);
    }
    readAdapter(model);
  }

  /** The folder's path. */
  public Path folder() {
    return folder;
  }

  @Override
  public void close() {
    if (base instanceof Stored stored) {
      stored.files().close();
    }
    if (adapter != null) {
      adapter.close();
    }
  }
}
