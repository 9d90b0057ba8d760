package dev.duoka.base;

import java.nio.file.Path;

/** Where things that can be made again are kept between runs. */
public final class CacheFolder {
  private CacheFolder() {}

  /** {@code $XDG_CACHE_HOME/duoka/<name>}, by default {@code ~/.cache/duoka/<name>}. */
  public static Path of(String name) {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path base =
        cache == null || cache.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(cache);
    return base.resolve("duoka").resolve(name);
  }
}
