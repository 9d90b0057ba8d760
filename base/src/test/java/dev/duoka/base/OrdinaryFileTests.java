package dev.duoka.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class OrdinaryFileTests {
  @TempDir private Path folder;

  @Test
  void filesFoldersAndWhatIsNotThereAreNotRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "text");
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    Path broken = Files.createSymbolicLink(folder.resolve("broken"), folder.resolve("nowhere"));
    for (Path path : new Path[] {file, link, broken, folder, folder.resolve("missing")}) {
      assertThatCode(() -> OrdinaryFile.require(path, ErrorCode.DATA)).doesNotThrowAnyException();
      assertThatCode(() -> OrdinaryFile.requireThisOrPipe(path, ErrorCode.DATA))
          .doesNotThrowAnyException();
      assertThat(OrdinaryFile.isPipe(path)).isFalse();
    }
  }

  @Test
  void aPipeIsNamedAndMayBeAllowed() throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    Path link = Files.createSymbolicLink(folder.resolve("link"), pipe);
    for (Path path : new Path[] {pipe, link}) {
      assertThatExceptionOfType(DuokaException.class)
          .isThrownBy(() -> OrdinaryFile.require(path, ErrorCode.CONFIG))
          .withMessageContaining(path + ": it is a pipe, not a file")
          .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIG));
      assertThatCode(() -> OrdinaryFile.requireThisOrPipe(path, ErrorCode.DATA))
          .doesNotThrowAnyException();
      assertThat(OrdinaryFile.isPipe(path)).isTrue();
    }
  }

  @Test
  void devicesAndSocketsAreRefused() throws IOException {
    Path socket = folder.resolve("s");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      refused(socket, "socket");
    }
    refused(Path.of("/dev/zero"), "device");
    refused(Path.of("/dev/null"), "device");
  }

  private static void refused(Path path, String kind) {
    String message = "cannot read " + path + ": it is a " + kind + ", not a file";
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> OrdinaryFile.require(path, ErrorCode.DATA))
        .withMessageContaining(message);
    assertThatExceptionOfType(DuokaException.class)
        .isThrownBy(() -> OrdinaryFile.requireThisOrPipe(path, ErrorCode.DATA))
        .withMessageContaining(message);
  }
}
