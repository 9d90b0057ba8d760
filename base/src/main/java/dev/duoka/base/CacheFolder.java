package dev.duoka.base;

import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Where things that can be made again are kept between runs. */
public final class CacheFolder {
  private CacheFolder() {}

  /** {@code $XDG_CACHE_HOME/duoka/<name>}, by default {@code ~/.cache/duoka/<name>}. */
  public static Path of(String name) {
    return of(name, System::getenv);
  }

  /**
   * The same by other variables; a relative {@code XDG_CACHE_HOME} counts as none, as its
   * specification says.
   *
   * @param environment looks up an environment variable
   */
  public static Path of(String name, Function<String, @Nullable String> environment) {
    String cache = environment.apply("XDG_CACHE_HOME");
    Path base =
        cache != null && Path.of(cache).isAbsolute()
            ? Path.of(cache)
            : UserPath.home(environment).resolve(".cache");
    return base.resolve("duoka").resolve(name);
  }
}
