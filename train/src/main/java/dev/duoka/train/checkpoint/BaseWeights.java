package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Sha256;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.Architecture;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.model.WeightInitializer;
import dev.duoka.model.adapter.AdapterFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Which weights an adapter was trained on: a checkpoint of an adapter holds none of them, but names
 * them by their hash.
 */
public final class BaseWeights {
  /** The name of the hash in {@link TrainingState#identity}. */
  public static final String HASH = "base_weights";

  /** Likewise of the folder, which may change as long as the hash does not. */
  public static final String FOLDER = "base_folder";

  /**
   * The name of the form that the base was kept in ({@link BaseForm}); dense where it is absent.
   */
  public static final String FORM = "base_form";

  /** Before these names in the metadata of an adapter's file. */
  private static final String IN_FILE = "duoka.";

  /** The seed, and the way of drawing, which the first one does not say. */
  private static final Pattern SEED =
      Pattern.compile("seed (-?\\d+) of [0-9a-f]{64}(?:, way (\\d+))?");

  /** More than any published model has. */
  private static final int MOST_MTP_MODULES = 8;

  private BaseWeights() {}

  /**
   * The SHA-256 of the hashes of a folder's weight files, in their order. Reads those whose hash is
   * not kept from an earlier start, several at once.
   */
  public static String hash(Path folder) {
    try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
      return hash(weights);
    }
  }

  /** As the other method, of files that are open. */
  public static String hash(SafetensorsFolder weights) {
    List<Path> files = weights.files().stream().map(SafetensorsFile::path).toList();
    FileHashes kept = FileHashes.ofUser();
    List<byte[]> hashes = files.parallelStream().map(kept::of).toList();
    MessageDigest digest = Sha256.digest();
    hashes.forEach(digest::update);
    return HexFormat.of().formatHex(digest.digest());
  }

  /** What stands for weights that a seed has drawn. */
  public static String ofSeed(long seed, String config) {
    return "seed "
        + seed
        + " of "
        + HexFormat.of().formatHex(Sha256.of(config.getBytes(StandardCharsets.UTF_8)))
        + ", way "
        + WeightInitializer.WAY;
  }

  /**
   * Refuses a base that was drawn in a way in which this version draws no more.
   *
   * @param stored what stands for the base of an adapter's checkpoint, whatever it is
   */
  public static void requireOwnWay(Path checkpoint, String stored) {
    Matcher matcher = SEED.matcher(stored);
    if (!matcher.matches()) {
      return;
    }
    String way = matcher.group(2) == null ? "1" : matcher.group(2);
    if (!way.equals(String.valueOf(WeightInitializer.WAY))) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "the adapter of "
              + checkpoint
              + " was trained on a base that seed "
              + matcher.group(1)
              + " drew in way "
              + way
              + ", and this version of duoka draws in way "
              + WeightInitializer.WAY
              + ", which gives other weights",
          "Use the version of duoka that wrote it, for example to export it merged, or train it"
              + " anew");
    }
  }

  /**
   * The seed that the base of an adapter's checkpoint was drawn from, by {@link #ofSeed}; empty
   * where a folder holds it.
   *
   * @throws DuokaException when it was drawn in another way
   */
  static OptionalLong seed(Path checkpoint) {
    if (!AdapterConfigFile.isIn(checkpoint)
        || AdapterConfigFile.read(checkpoint).base().isPresent()) {
      return OptionalLong.empty();
    }
    String stored = stored(checkpoint).orElse("");
    requireOwnWay(checkpoint, stored);
    Matcher matcher = SEED.matcher(stored);
    return matcher.matches()
        ? OptionalLong.of(Long.parseLong(matcher.group(1)))
        : OptionalLong.empty();
  }

  /**
   * Refuses a checkpoint whose base was drawn for another model than the checkpoint's.
   *
   * @param config of the checkpoint
   */
  static void requireDrawn(Path checkpoint, long seed, ModelConfig config) {
    // A checkpoint says which MTP modules were trained, none beside an adapter; the hash was taken
    // of the model with all that it declares, which change no other weight.
    boolean has = config.architecture() == Architecture.DEEPSEEK_V3;
    boolean same =
        IntStream.rangeClosed(0, has ? MOST_MTP_MODULES : 0)
            .mapToObj(it -> has ? config.with(config.layers(), config.moe(), it) : config)
            .map(it -> ofSeed(seed, ModelConfigWriter.json(it).toString()))
            .anyMatch(stored(checkpoint).orElse("")::equals);
    if (!same) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "the adapter of "
              + checkpoint
              + " was trained on a base that seed "
              + seed
              + " drew for another model than its config.json describes",
          "Restore config.json");
    }
  }

  /** What an identity says of a base: the hash, and the folder where there is one. */
  public static String words(Map<String, String> identity) {
    String folder = identity.get(FOLDER);
    return identity.getOrDefault(HASH, "none") + (folder == null ? "" : " in " + folder);
  }

  /**
   * Refuses a base that is drawn where an adapter was trained on another one; a folder that is
   * neither a checkpoint of ours nor made of one says nothing of its base.
   *
   * @param drawn what stands for the base, by {@link #ofSeed}
   */
  public static void requireDrawn(Path adapter, String drawn) {
    Optional<String> stored = stored(adapter);
    if (stored.isPresent() && !stored.get().equals(drawn)) {
      requireOwnWay(adapter, stored.get());
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "the adapter of "
              + adapter
              + " was trained on other weights than this run's base has: on "
              + stored.get()
              + ", and here they are "
              + drawn,
          stored.get().startsWith("seed ")
              ? "Set model and training.seed to those that it was trained with"
              : "Set model.path to the base that it was trained on, and model.load_weights to"
                  + " true");
    }
  }

  private static Optional<String> stored(Path checkpoint) {
    return identity(checkpoint, HASH);
  }

  private static Optional<String> identity(Path checkpoint, String name) {
    Path alone = checkpoint.resolve(AdapterFile.FILE_NAME);
    if (Files.exists(alone)) {
      try (SafetensorsFile file = SafetensorsFile.open(alone)) {
        return Optional.ofNullable(file.metadata().get(IN_FILE + name));
      }
    }
    return CheckpointReader.identity(new Checkpoint(checkpoint, 0))
        .flatMap(identity -> Optional.ofNullable(identity.get(name)));
  }

  /**
   * What the file of an adapter says of it in PEFT's form: the weights of its base by their hash,
   * and their form, as the checkpoint has them.
   */
  public static Map<String, String> inAdapterFile(Path checkpoint) {
    Map<String, String> metadata = new TreeMap<>(Map.of("format", "pt"));
    for (String name : List.of(HASH, FORM)) {
      identity(checkpoint, name).ifPresent(value -> metadata.put(IN_FILE + name, value));
    }
    return metadata;
  }

  /**
   * The form that an adapter's base was kept in while it was trained: as a checkpoint of ours says,
   * or a folder in PEFT's form that was made of one; of any other dense.
   *
   * @throws DuokaException when the checkpoint names a form that this version does not know
   */
  public static BaseForm form(Path adapter) {
    String stored = identity(adapter, FORM).orElse(BaseForm.DENSE.toString());
    return BaseForm.named(stored)
        .orElseThrow(
            () ->
                new DuokaException(
                    ErrorCode.CHECKPOINT,
                    "the adapter of "
                        + adapter
                        + " was trained on a base in a form that is not known here, "
                        + stored,
                    "Use the version of duoka that wrote it"));
  }

  /**
   * Refuses a base that an adapter was not trained on; a folder that is neither a checkpoint of
   * ours nor made of one says nothing of its base.
   */
  public static void require(Path checkpoint, Path base) {
    Optional<String> stored = stored(checkpoint);
    if (stored.isPresent() && !stored.get().equals(hash(base))) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "the adapter of " + checkpoint + " was trained on other weights than those of " + base,
          "Restore them, or say where the right ones are: chat BASE --adapter ADAPTER, export"
              + " --base BASE, train --resume --set model.path=BASE");
    }
  }
}
