package dev.duoka.base;

import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Paths as users write them. */
public final class UserPath {
  private UserPath() {}

  /** {@code ~} and {@code ~/…} with the user's home folder, as a shell has it; others as is. */
  public static String expand(String path) {
    return expand(path, System::getenv);
  }

  static String expand(String path, Function<String, @Nullable String> environment) {
    return path.equals("~") || path.startsWith("~/") ? home(environment) + path.substring(1) : path;
  }

  /**
   * The user's home folder by the shell's rule: {@code $HOME}, and what the system knows of the
   * user where that is not set.
   *
   * @param environment looks up an environment variable, {@code System::getenv} in a run
   */
  public static Path home(Function<String, @Nullable String> environment) {
    String home = environment.apply("HOME");
    return Path.of(home == null || home.isBlank() ? System.getProperty("user.home") : home);
  }
}
