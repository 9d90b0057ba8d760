package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Sha256;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/**
 * Which weights an adapter was trained on: a checkpoint of an adapter holds none of them, but names
 * them by their hash.
 */
public final class BaseWeights {
  /** The name of the hash in {@link TrainingState#identity}. */
  public static final String HASH = "base_weights";

  /** Likewise of the folder, which may change as long as the hash does not. */
  public static final String FOLDER = "base_folder";

  private static final int CHUNK_BYTES = 1 << 20;

  private BaseWeights() {}

  /**
   * The SHA-256 of the hashes of a folder's weight files, in their order. Reads all of them,
   * several at once.
   */
  public static String hash(Path folder) {
    try (SafetensorsFolder weights = SafetensorsFolder.open(folder)) {
      return hash(weights);
    }
  }

  /** As the other method, of files that are open. */
  public static String hash(SafetensorsFolder weights) {
    List<Path> files = weights.files().stream().map(SafetensorsFile::path).toList();
    List<byte[]> hashes = files.parallelStream().map(BaseWeights::ofFile).toList();
    MessageDigest digest = Sha256.digest();
    hashes.forEach(digest::update);
    return HexFormat.of().formatHex(digest.digest());
  }

  /** What stands for weights that a seed has drawn. */
  public static String ofSeed(long seed, String config) {
    return "seed "
        + seed
        + " of "
        + HexFormat.of().formatHex(Sha256.of(config.getBytes(StandardCharsets.UTF_8)));
  }

  private static byte[] ofFile(Path file) {
    MessageDigest digest = Sha256.digest();
    byte[] chunk = new byte[CHUNK_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        digest.update(chunk, 0, count);
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot read " + file + ": " + IoReason.of(e), "See who may read it", e);
    }
    return digest.digest();
  }

  /**
   * Refuses a base that a checkpoint's adapter was not trained on; a folder that is no checkpoint
   * of ours says nothing of its base.
   */
  static void require(Path checkpoint, Path base) {
    Optional<String> stored =
        CheckpointReader.identity(new Checkpoint(checkpoint, 0))
            .flatMap(identity -> Optional.ofNullable(identity.get(HASH)));
    if (stored.isPresent() && !stored.get().equals(hash(base))) {
      throw new DuokaException(
          ErrorCode.CHECKPOINT,
          "the adapter of " + checkpoint + " was trained on other weights than those of " + base,
          "Restore them, or name the right folder as base_model_name_or_path in its"
              + " adapter_config.json");
    }
  }
}
