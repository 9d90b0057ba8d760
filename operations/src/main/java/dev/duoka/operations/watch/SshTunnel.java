package dev.duoka.operations.watch;

import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** How a page on this machine is seen from the one that somebody has come from by SSH. */
public final class SshTunnel {
  private SshTunnel() {}

  /**
   * The command to type there; empty where nobody has come by SSH.
   *
   * @param environment of this process; {@code SSH_CONNECTION} is both ends' addresses and ports
   * @param user of this machine
   * @param port of the page, on both machines
   */
  public static Optional<String> command(
      Function<String, @Nullable String> environment, String user, int port) {
    String connection = environment.apply("SSH_CONNECTION");
    String[] parts = connection == null ? new String[0] : connection.strip().split(" ");
    if (parts.length != 4) {
      return Optional.empty();
    }
    String other = parts[3].equals("22") ? "" : " -p " + parts[3];
    return Optional.of(
        RedactedText.line(
            "ssh -N -L " + port + ":127.0.0.1:" + port + other + " " + user + "@" + parts[2]));
  }
}
