package dev.duoka.train.checkpoint;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.data.tokenizer.ByteTokenizer;
import dev.duoka.data.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tokenizer of a run as a checkpoint keeps it: the word {@code bytes}, or the files of a
 * Hugging Face tokenizer, held in memory so that they outlive the folder they came from.
 */
public final class TokenizerFiles {
  /** The file without which there is no tokenizer. */
  static final String MAIN = "tokenizer.json";

  private static final List<String> COMPANIONS =
      List.of("tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja");

  private final Map<String, byte[]> files;

  private TokenizerFiles(Map<String, byte[]> files) {
    this.files = files;
  }

  /**
   * The tokenizer that {@link Tokenizer#load} gives for this name.
   *
   * @param nameOrPath {@code bytes}, a {@code tokenizer.json} or the folder that holds one
   */
  public static TokenizerFiles of(String nameOrPath) {
    if (nameOrPath.equals(ByteTokenizer.NAME)) {
      return new TokenizerFiles(Map.of());
    }
    Path path = Path.of(nameOrPath);
    Path main = Files.isDirectory(path) ? path.resolve(MAIN) : path;
    Map<String, byte[]> files = new LinkedHashMap<>();
    files.put(MAIN, content(main));
    for (String name : COMPANIONS) {
      Path companion = main.resolveSibling(name);
      if (Files.isRegularFile(companion)) {
        files.put(name, content(companion));
      }
    }
    return new TokenizerFiles(files);
  }

  /** The tokenizer of a checkpoint or of a Hugging Face folder. */
  public static TokenizerFiles in(Path folder) {
    return of(nameIn(folder));
  }

  /** What to give to {@link Tokenizer#load} for the tokenizer of a checkpoint or other folder. */
  public static String nameIn(Path folder) {
    boolean bytes =
        Files.exists(folder.resolve(CheckpointFiles.STATE))
            && StateJson.read(folder).tokenizer().equals(ByteTokenizer.NAME);
    return bytes ? ByteTokenizer.NAME : folder.toString();
  }

  /** Whether this is the tokenizer without files. */
  public boolean isBytes() {
    return files.isEmpty();
  }

  /** What {@code state.json} calls it. */
  String name() {
    return isBytes() ? ByteTokenizer.NAME : MAIN;
  }

  /** The files by their names, {@code tokenizer.json} first; none for bytes. */
  public Map<String, byte[]> files() {
    return Collections.unmodifiableMap(files);
  }

  private static byte[] content(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "cannot read tokenizer " + file + ": " + IoReason.of(e),
          "Give the path of a tokenizer.json, of the folder that holds it, or the word bytes",
          e);
    }
  }
}
