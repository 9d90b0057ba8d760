package dev.duoka.operations.notify;

import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.NotifyTarget;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/**
 * Sends messages, each on a thread of its own with a limit of time. Whatever becomes of one, the
 * run does not wait for it.
 */
public final class Notifier {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private final NotifyTarget target;
  private final Path run;
  private final Map<String, String> environment;
  private final Consumer<String> failed;
  private final List<Thread> sending = new ArrayList<>();

  /**
   * A sender.
   *
   * @param run the run's folder
   * @param environment where addresses are looked up
   * @param failed hears, on any thread, of messages that could not be sent; without addresses,
   *     which may be secret
   */
  public Notifier(
      NotifyTarget target, Path run, Map<String, String> environment, Consumer<String> failed) {
    this.target = target;
    this.run = run;
    this.environment = environment;
    this.failed = failed;
  }

  /**
   * Sends a message; returns at once.
   *
   * @param event {@code end}, {@code failure}, {@code hang}, {@code divergence} or {@code card}
   */
  public void send(String event, String text) {
    target.command().ifPresent(command -> start(() -> runCommand(command, event, text)));
    target
        .webhookVariable()
        .ifPresent(
            name -> {
              String address = environment.getOrDefault(name, "").strip();
              if (address.isEmpty()) {
                failed.accept("nobody is notified: " + name + " is not set");
              } else {
                start(() -> post(address, event, text));
              }
            });
  }

  /** Waits for what is being sent, as long as that may take at most. */
  public void await() throws InterruptedException {
    for (Thread thread : sending) {
      thread.join(LIMIT);
    }
  }

  private void start(Runnable send) {
    sending.removeIf(thread -> !thread.isAlive());
    sending.add(Thread.ofPlatform().daemon().name("notify").start(send));
  }

  private void runCommand(String command, String event, String text) {
    ProcessBuilder builder =
        new ProcessBuilder("sh", "-c", command)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().put("DUOKA_EVENT", event);
    builder.environment().put("DUOKA_RUN", run.toString());
    builder.environment().put("DUOKA_TEXT", text);
    try {
      Process process = builder.start();
      if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        failed.accept("notify.command was ended: it ran for " + LIMIT.toSeconds() + " s");
      } else if (process.exitValue() != 0) {
        failed.accept("notify.command ended with status " + process.exitValue());
      }
    } catch (IOException e) {
      failed.accept("notify.command cannot be run: " + IoReason.of(e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void post(String address, String event, String text) {
    try (HttpClient client = HttpClient.newBuilder().connectTimeout(LIMIT).build()) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(address))
              .timeout(LIMIT)
              .header("Content-Type", "application/json; charset=utf-8")
              .POST(
                  HttpRequest.BodyPublishers.ofString(
                      Json.line(body(event, text)), StandardCharsets.UTF_8))
              .build();
      int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      if (status >= 300) {
        failed.accept("a message was refused with HTTP status " + status);
      }
    } catch (IOException | IllegalArgumentException e) {
      failed.accept("a message could not be posted: " + e.getClass().getSimpleName());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** What is posted. */
  ObjectNode body(String event, String text) {
    String message = "duoka: " + event + " of " + run.getFileName() + ": " + text;
    ObjectNode body = Json.object();
    switch (target.form()) {
      case "slack" -> body.put("text", message);
      case "feishu" -> {
        body.put("msg_type", "text");
        body.putObject("content").put("text", message);
      }
      case "dingtalk", "wecom" -> {
        body.put("msgtype", "text");
        body.putObject("text").put("content", message);
      }
      default -> {
        body.put("event", event);
        body.put("run", run.toString());
        body.put("text", text);
      }
    }
    return body;
  }
}
