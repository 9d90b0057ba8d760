package dev.duoka.train.snapshot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/** The commit of the source tree that a program runs from, read without Git. */
final class SourceCommit {
  private static final Pattern HASH = Pattern.compile("[0-9a-f]{40,64}");
  private static final String REFERENCE = "ref: ";

  /** Folders from the program's files up to the tree. */
  private static final int MOST_LEVELS = 8;

  private SourceCommit() {}

  /**
   * What is checked out in the tree that a file belongs to; empty outside of a tree of ours.
   *
   * @param file of the program
   */
  static Optional<String> of(Path file) {
    Path folder = file.toAbsolutePath().normalize();
    for (int level = 0; level < MOST_LEVELS && folder != null; level++) {
      if (Files.exists(folder.resolve(".git")) && Files.exists(folder.resolve("duoka"))) {
        return in(folder.resolve(".git"));
      }
      folder = folder.getParent();
    }
    return Optional.empty();
  }

  private static Optional<String> in(Path git) {
    try {
      Path folder = git;
      if (Files.isRegularFile(git)) { // of a further working tree
        String link = Files.readString(git).strip().replaceFirst("^gitdir: ", "");
        folder = git.resolveSibling(link);
      }
      String head = Files.readString(folder.resolve("HEAD")).strip();
      if (!head.startsWith(REFERENCE)) {
        return hash(head);
      }
      String name = head.substring(REFERENCE.length());
      Path common = folder.resolve("commondir");
      Path shared =
          Files.exists(common) ? folder.resolve(Files.readString(common).strip()) : folder;
      Path loose = shared.resolve(name);
      return Files.exists(loose)
          ? hash(Files.readString(loose).strip())
          : packed(shared.resolve("packed-refs"), name);
    } catch (IOException e) {
      return Optional.empty(); // the version alone says which program it is
    }
  }

  private static Optional<String> packed(Path file, String name) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    return Files.readAllLines(file).stream()
        .filter(line -> line.endsWith(" " + name))
        .findFirst()
        .flatMap(line -> hash(line.substring(0, line.indexOf(' '))));
  }

  private static Optional<String> hash(String text) {
    return HASH.matcher(text).matches() ? Optional.of(text) : Optional.empty();
  }
}
