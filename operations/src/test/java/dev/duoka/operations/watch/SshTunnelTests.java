package dev.duoka.operations.watch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

final class SshTunnelTests {
  @Test
  void namesPortUserAndMachine() {
    Map<String, String> environment = Map.of("SSH_CONNECTION", "10.0.0.9 50022 10.0.0.7 22");
    assertThat(SshTunnel.command(environment::get, "ann", 7470))
        .contains("ssh -N -L 7470:127.0.0.1:7470 ann@10.0.0.7");
    Map<String, String> other = Map.of("SSH_CONNECTION", "fe80::9 50022 fe80::7 2222");
    assertThat(SshTunnel.command(other::get, "ann", 7471))
        .contains("ssh -N -L 7471:127.0.0.1:7471 -p 2222 ann@fe80::7");
  }

  @Test
  void saysNothingWithoutSsh() {
    assertThat(SshTunnel.command(name -> null, "ann", 7470)).isEmpty();
    assertThat(SshTunnel.command(name -> "strange", "ann", 7470)).isEmpty();
  }
}
