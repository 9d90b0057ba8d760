package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Compares the files of a checkpoint with its manifest. */
final class CheckpointCheck {
  private static final int CHUNK_BYTES = 1 << 20;

  /** What is wrong with one file; empty when nothing is. */
  private interface FileCheck {
    Optional<String> problem(Path file, CheckpointManifest.Content expected) throws IOException;
  }

  private CheckpointCheck() {}

  /**
   * What can be seen without reading the files: missing ones and wrong sizes.
   *
   * @throws NewerCheckpointException if a later version of the program wrote it
   */
  static List<CheckpointEvent.Damaged> sizes(Checkpoint checkpoint) {
    return check(checkpoint, CheckpointCheck::sizeProblem);
  }

  /**
   * Reads every file, several at once, and compares its hash.
   *
   * @throws NewerCheckpointException if a later version of the program wrote it
   */
  static List<CheckpointEvent.Damaged> contents(Checkpoint checkpoint) {
    List<CheckpointEvent.Damaged> evident = sizes(checkpoint);
    return evident.isEmpty() ? check(checkpoint, CheckpointCheck::hashProblem) : evident;
  }

  private static List<CheckpointEvent.Damaged> check(Checkpoint checkpoint, FileCheck check) {
    CheckpointManifest manifest;
    try {
      manifest = CheckpointManifest.read(checkpoint.folder());
    } catch (NewerCheckpointException e) {
      throw e; // not damaged: passing it over would lose what it holds
    } catch (DuokaException e) {
      return List.of(
          new CheckpointEvent.Damaged(
              checkpoint,
              checkpoint.folder().resolve(CheckpointFiles.MANIFEST),
              "is missing or damaged (" + e.getMessage() + ")"));
    }
    return manifest.files().entrySet().parallelStream()
        .flatMap(entry -> damage(checkpoint, entry, check).stream())
        .toList();
  }

  private static Optional<CheckpointEvent.Damaged> damage(
      Checkpoint checkpoint, Map.Entry<String, CheckpointManifest.Content> entry, FileCheck check) {
    Path file = checkpoint.folder().resolve(entry.getKey());
    Optional<String> problem;
    try {
      problem = check.problem(file, entry.getValue());
    } catch (NoSuchFileException e) {
      problem = Optional.of("is missing");
    } catch (IOException e) {
      problem = Optional.of("cannot be read: " + e);
    }
    return problem.map(text -> new CheckpointEvent.Damaged(checkpoint, file, text));
  }

  private static Optional<String> sizeProblem(Path file, CheckpointManifest.Content expected)
      throws IOException {
    long size = Files.size(file);
    return size == expected.size()
        ? Optional.empty()
        : Optional.of("has " + size + " bytes instead of " + expected.size());
  }

  private static Optional<String> hashProblem(Path file, CheckpointManifest.Content expected)
      throws IOException {
    MessageDigest digest = Sha256.digest();
    byte[] chunk = new byte[CHUNK_BYTES];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count = in.read(chunk); count >= 0; count = in.read(chunk)) {
        digest.update(chunk, 0, count);
      }
    }
    return HexFormat.of().formatHex(digest.digest()).equals(expected.sha256())
        ? Optional.empty()
        : Optional.of("has another SHA-256 than when it was written");
  }
}
