package dev.duoka.operations.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RunFollowerTests implements RunFollower.Output {
  @TempDir Path run;
  private final StringBuilder printed = new StringBuilder();

  @Override
  public void standard(String text) {
    printed.append("out:").append(text);
  }

  @Override
  public void error(String text) {
    printed.append("err:").append(text);
  }

  @Override
  public void event(RunRecord.Entry entry) {
    printed.append("event:").append(entry.event());
  }

  private String polled(RunFollower follower) {
    printed.setLength(0);
    follower.poll();
    return printed.toString();
  }

  private static void append(Path file, byte[] bytes) throws IOException {
    Files.createDirectories(file.getParent());
    Files.write(file, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  @Test
  void readsOnFromOneAttemptToTheNext() throws IOException {
    SupervisionFolder folder = new SupervisionFolder(run);
    RunFollower follower = RunFollower.fromNow(folder, this);
    assertThat(polled(follower)).isEmpty();
    byte[] text = "step 多\n".getBytes(StandardCharsets.UTF_8);
    Path error = WorkerFolder.of(folder.attempt(1), 0).standardError();
    append(error, Arrays.copyOf(text, 6)); // the character is cut
    assertThat(polled(follower)).isEqualTo("err:step ");
    append(error, Arrays.copyOfRange(text, 6, text.length));
    append(
        WorkerFolder.of(folder.attempt(1), 0).standardOutput(),
        "done".getBytes(StandardCharsets.UTF_8));
    assertThat(polled(follower)).isEqualTo("err:多\nout:done");
    append(error, "last\n".getBytes(StandardCharsets.UTF_8));
    new RunRecord(folder).add(1, "restart", "again");
    append(
        WorkerFolder.of(folder.attempt(2), 0).standardError(),
        "new\n".getBytes(StandardCharsets.UTF_8));
    assertThat(polled(follower)).isEqualTo("err:last\nevent:restarterr:new\n");
    assertThat(polled(follower)).isEmpty();
  }

  @Test
  void joinsARunNearItsEnd() throws IOException {
    SupervisionFolder folder = new SupervisionFolder(run);
    append(
        WorkerFolder.of(folder.attempt(3), 0).standardError(),
        "a\nb\nc\n".getBytes(StandardCharsets.UTF_8));
    assertThat(polled(RunFollower.of(folder, this, 4))).isEqualTo("err:b\nc\n");
  }
}
