package dev.duoka.formats.adapter;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder of an adapter in PEFT's form: two files, neither of which is worth anything alone.
 * Checkpoints of adapters have the first of them too, and their weights in files of their own.
 */
public final class AdapterFolder {
  /** The file of the weights. */
  public static final String WEIGHTS = "adapter_model.safetensors";

  /** What PEFT wrote before safetensors. */
  private static final String PICKLED = "adapter_model.bin";

  /** What a checkpoint has, and a run. */
  private static final String STATE = "state.json";

  private static final String CHECKPOINTS = "checkpoints";

  private AdapterFolder() {}

  /**
   * Refuses a folder that has one of the files without the other; says nothing of one that has
   * neither, or is a checkpoint.
   *
   * @throws DuokaException with what is missing
   */
  public static void requireWhole(Path folder) {
    if (Files.exists(folder.resolve(STATE))) {
      return;
    }
    boolean config = AdapterConfigFile.isIn(folder);
    boolean weights = Files.exists(folder.resolve(WEIGHTS));
    boolean pickled = Files.exists(folder.resolve(PICKLED));
    if (config && !weights) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "the adapter of "
              + folder
              + " has no "
              + WEIGHTS
              + (pickled ? ", only " + PICKLED + ", which is read nowhere here" : ""),
          pickled
              ? "Load it with PEFT and save it again: save_pretrained writes safetensors"
              : "Copy or download the missing file");
    }
    if (!config && (weights || pickled)) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "the adapter of " + folder + " has no " + AdapterConfigFile.FILE_NAME,
          "Copy or download the missing file: it says what the adapter belongs to");
    }
  }

  /**
   * Refuses what is no folder in PEFT's form.
   *
   * @param field that names it
   * @throws DuokaException with what it is, or lacks
   */
  public static void require(Path folder, String field) {
    if (Files.exists(folder.resolve(STATE)) || Files.isDirectory(folder.resolve(CHECKPOINTS))) {
      throw new DuokaException(
          ErrorCode.CONFIG,
          field + " is " + folder + ", a run or a checkpoint of duoka, and not in PEFT's form",
          "Write its adapter in that form, './duoka export "
              + folder
              + " --adapter --output DIR', and give DIR");
    }
    requireWhole(folder);
  }
}
