package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/** A file with the address of a page and its token, which only this user may read. */
public final class AddressFile implements AutoCloseable {
  private static final Set<PosixFilePermission> OWN = PosixFilePermissions.fromString("rw-------");

  private final Path path;

  private AddressFile(Path path) {
    this.path = path;
  }

  /** Writes it, in a folder that nobody else may enter; it is there until it is closed. */
  public static AddressFile write(StateFolder state, WatchServer server) {
    return write(folder(state).resolve("port-" + server.port() + ".url"), server.address());
  }

  /** The folder of such files, which nobody else may enter. */
  static Path folder(StateFolder state) {
    return StateFolder.own(state.path().resolve("watch"));
  }

  /** Writes an address to a file of that folder. */
  static AddressFile write(Path path, String address) {
    try {
      Files.deleteIfExists(path);
      Files.createFile(path, PosixFilePermissions.asFileAttribute(OWN));
      Files.writeString(path, address + "\n", StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw failed("write", path, e);
    }
    return new AddressFile(path);
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(path);
    } catch (IOException e) {
      throw failed("delete", path, e);
    }
  }

  private static DuokaException failed(String attempt, Path path, IOException e) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot " + attempt + " " + path + ": " + IoReason.of(e),
        "Check the disk",
        e);
  }
}
