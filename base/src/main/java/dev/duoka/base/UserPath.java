package dev.duoka.base;

/** Paths as users write them. */
public final class UserPath {
  private UserPath() {}

  /** {@code ~} and {@code ~/…} with the user's home folder, as a shell has it; others as is. */
  public static String expand(String path) {
    return path.equals("~") || path.startsWith("~/")
        ? System.getProperty("user.home") + path.substring(1)
        : path;
  }
}
