package dev.duoka.operations.control;

import dev.duoka.base.Sha256;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;

/** Where a run's supervisor listens. */
final class ControlAddress {
  /** A socket's path has at most 107 bytes, so its name is short whatever the run's is. */
  private static final int NAME_BYTES = 8;

  private ControlAddress() {}

  static UnixDomainSocketAddress of(StateFolder state, SupervisionFolder run) {
    byte[] hash = Sha256.of(run.path().toString().getBytes(StandardCharsets.UTF_8));
    String name = HexFormat.of().formatHex(hash, 0, NAME_BYTES);
    Path folder = StateFolder.own(state.path().resolve("sockets"));
    return UnixDomainSocketAddress.of(folder.resolve(name));
  }
}
