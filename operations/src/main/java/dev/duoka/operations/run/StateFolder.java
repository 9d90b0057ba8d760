package dev.duoka.operations.run;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.UserPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Where a user's runs are listed, and the sockets of their supervisors: folders that nobody else
 * can enter.
 *
 * @param path the folder
 */
public record StateFolder(Path path) {
  private static final Set<PosixFilePermission> OWN = PosixFilePermissions.fromString("rwx------");

  /** {@code $XDG_STATE_HOME/duoka}, by default {@code ~/.local/state/duoka}. */
  public static StateFolder standard() {
    return of(System::getenv);
  }

  static StateFolder of(Function<String, @Nullable String> environment) {
    String state = environment.apply("XDG_STATE_HOME");
    Path base =
        state != null && Path.of(state).isAbsolute()
            ? Path.of(state)
            : UserPath.home(environment).resolve(".local/state");
    return new StateFolder(base.resolve("duoka"));
  }

  /** Where runs are listed; made when it is not there. */
  Path runs() {
    return own(path.resolve("runs"));
  }

  /**
   * Makes a folder that only this user may enter, or checks that it is one.
   *
   * @throws DuokaException when it belongs to somebody else, or others may enter it
   */
  public static Path own(Path folder) {
    try {
      if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
        Path parent = folder.getParent();
        if (parent != null) {
          Files.createDirectories(parent);
        }
        Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(OWN));
      }
      boolean mine =
          Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS)
              .equals(Files.getOwner(Path.of("/proc/self"), LinkOption.NOFOLLOW_LINKS));
      if (!mine || !Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS).equals(OWN)) {
        throw new DuokaException(
            ErrorCode.IO,
            folder + " is not a folder of this user alone",
            "Remove it, or chmod 700 it if it is yours");
      }
      return folder;
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot make " + folder + ": " + IoReason.of(e), "Check the disk", e);
    }
  }
}
