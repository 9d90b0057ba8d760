package dev.duoka.operations.notify;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.NotifyTarget;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
final class NotifierTests {
  @TempDir Path folder;
  private final ConcurrentLinkedQueue<String> failed = new ConcurrentLinkedQueue<>();

  private Notifier notifier(NotifyTarget target, Map<String, String> environment) {
    return new Notifier(target, folder, environment, failed::add);
  }

  private static NotifyTarget webhook(String form) {
    return new NotifyTarget(Optional.empty(), Optional.of("HOOK"), form);
  }

  @Test
  void aCommandHasTheTextInItsEnvironment() throws Exception {
    NotifyTarget target =
        new NotifyTarget(
            Optional.of("echo \"$DUOKA_EVENT $DUOKA_TEXT\" >\"$DUOKA_RUN/told\""),
            Optional.empty(),
            "plain");
    Notifier notifier = notifier(target, Map.of());
    notifier.send("end", "$(touch bad) 'done' \"now\"");
    notifier.await();
    assertThat(Files.readString(folder.resolve("told")))
        .isEqualTo("end $(touch bad) 'done' \"now\"\n");
    assertThat(failed).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          slack    | {"text":"duoka: hang of RUN: why"}
          feishu   | {"msg_type":"text","content":{"text":"duoka: hang of RUN: why"}}
          dingtalk | {"msgtype":"text","text":{"content":"duoka: hang of RUN: why"}}
          wecom    | {"msgtype":"text","text":{"content":"duoka: hang of RUN: why"}}
          """)
  void eachReceiverHasItsForm(String form, String body) {
    String name = String.valueOf(folder.getFileName());
    assertThat(
            Json.line(notifier(webhook(form), Map.of()).body("hang", "why")).replace(name, "RUN"))
        .isEqualTo(body);
  }

  @Test
  void messagesArePosted() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CompletableFuture<String> posted = new CompletableFuture<>();
      Thread.ofPlatform().daemon().start(() -> answer(server, posted));
      Notifier notifier =
          notifier(
              webhook("plain"), Map.of("HOOK", "http://127.0.0.1:" + server.getLocalPort() + "/x"));
      notifier.send("failure", "为什么");
      assertThat(posted.get(30, TimeUnit.SECONDS)).contains("POST /x", "\"text\":\"为什么\"");
      notifier.await();
      assertThat(failed).isEmpty();
    }
  }

  private static void answer(ServerSocket server, CompletableFuture<String> posted) {
    try (Socket socket = server.accept()) {
      StringBuilder text = new StringBuilder();
      byte[] bytes = new byte[4096];
      while (text.indexOf("}") < 0) {
        int read = socket.getInputStream().read(bytes);
        text.append(new String(bytes, 0, read, StandardCharsets.UTF_8));
      }
      socket
          .getOutputStream()
          .write(
              "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
      posted.complete(text.toString());
    } catch (IOException e) {
      posted.completeExceptionally(e);
    }
  }

  /** The address, which holds a token, is in none of the complaints. */
  @Test
  void whatCannotBeSentIsSaid() throws Exception {
    Notifier notifier =
        notifier(
            new NotifyTarget(Optional.of("exit 3"), Optional.of("HOOK"), "slack"),
            Map.of("HOOK", "http://127.0.0.1:1/token"));
    notifier.send("end", "x");
    notifier.await();
    assertThat(List.copyOf(failed))
        .hasSize(2)
        .anyMatch(text -> text.contains("status 3"))
        .allMatch(text -> !text.contains("token"));
    notifier(webhook("slack"), Map.of()).send("end", "x");
    assertThat(failed).anyMatch(text -> text.contains("HOOK is not set"));
  }
}
