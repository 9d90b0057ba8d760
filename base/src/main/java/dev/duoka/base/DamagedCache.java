package dev.duoka.base;

import java.nio.file.Path;

/**
 * Names on standard error what was found damaged in the user's cache. That is no failure, since all
 * of it can be made again; but a disk that damages one file may damage more.
 */
public final class DamagedCache {
  private DamagedCache() {}

  /**
   * Says so.
   *
   * @param file what is damaged
   * @param why for example {@code it has 12 bytes instead of 30}
   * @param then what happens now, for example {@code it is unpacked again}
   */
  public static void report(Path file, String why, String then) {
    System.err.println("duoka: " + file + " is damaged: " + why + "; " + then);
  }
}
