package dev.duoka.formats;

import java.nio.file.Path;
import java.util.List;

/** The folders of {@code golden/} at the root of the repository. */
public final class Goldens {
  public static final List<String> NAMES =
      List.of(
          "llama-gqa",
          "llama-mha-scaled",
          "llama3",
          "qwen2",
          "qwen3",
          "v2-lite",
          "v2-group",
          "v3",
          "v3-yarn");

  private Goldens() {}

  public static Path folder(String name) {
    return Path.of(System.getProperty("duoka.repository"), "golden", name);
  }
}
