package dev.duoka.operations.watch;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.OwnCommand;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Where the page of a run is.
 *
 * @param address with the token, which whoever knows it may look by
 * @param file that has the same for all runs, which only this user may read
 * @param port of both
 */
public record RunPage(String address, Path file, int port) {
  private static final List<String> FLAGS =
      List.of(
          "-Xmx192m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:-UsePerfData",
          "-XX:ReservedCodeCacheSize=24m",
          "-Xss512k");

  private static final long IDLE_SECONDS = 900;
  private static final int ATTEMPTS = 200;
  private static final long PAUSE_MILLISECONDS = 50;

  /**
   * The page of a run, by the process that serves those of this user; it is started where there is
   * none. Blocks until it answers, a second or so.
   *
   * @param access what it is to allow besides what is asked for from this machine; a process that
   *     serves already goes on to allow what it did, until it ends
   * @throws DuokaException when none can be started, or it cannot listen where it should
   */
  public static RunPage of(Path run, StateFolder state, PageAccess access)
      throws InterruptedException {
    Optional<RunPage> there = find(run, state);
    if (there.isEmpty()) {
      access.write(state); // what was asked of an earlier one is over with it
      RunPage started = start(run, state);
      awaitAccess(state, access);
      return started;
    }
    PageAccess asked = PageAccess.read(state);
    if (!asked.covers(access)) {
      asked.and(access).write(state);
    }
    awaitAccess(state, access);
    return there.get();
  }

  /** Waits until the serving process allows what it was asked to. */
  private static void awaitAccess(StateFolder state, PageAccess access)
      throws InterruptedException {
    for (int i = 0; i < ATTEMPTS; i++) {
      JsonNode said = Json.parse(WatchMain.identity(state), ErrorCode.FORMAT);
      if (PageAccess.of(said.path(WatchMain.ACCESS)).covers(access)) {
        for (String address : access.addresses()) {
          String problem = said.path(WatchMain.PROBLEMS).path(address).asString("");
          if (!problem.isEmpty()) {
            throw new DuokaException(
                ErrorCode.USAGE,
                "the run's page is not at " + address + ": " + problem,
                "Name an address of this machine with --bind; ip address lists them. Without it the"
                    + " page is at 127.0.0.1");
          }
        }
        return;
      }
      Thread.sleep(PAUSE_MILLISECONDS);
    }
    throw cannotServe("the process that serves pages does not answer", null);
  }

  private static RunPage start(Path run, StateFolder state) throws InterruptedException {
    Path output = AddressFile.folder(state).resolve("server.log");
    List<String> command = new ArrayList<>(List.of("setsid", "nice", "-n", "10"));
    command.addAll(OwnCommand.java(FLAGS, "dev.duoka.operations", WatchMain.class.getName()));
    command.addAll(List.of(state.path().toString(), String.valueOf(IDLE_SECONDS)));
    try {
      new ProcessBuilder(command)
          .redirectInput(new File("/dev/null"))
          .redirectOutput(output.toFile())
          .redirectErrorStream(true)
          .start();
    } catch (IOException e) {
      throw cannotServe(IoReason.of(e), e);
    }
    for (int i = 0; i < ATTEMPTS; i++) {
      Thread.sleep(PAUSE_MILLISECONDS);
      Optional<RunPage> started = find(run, state);
      if (started.isPresent()) {
        return started.get();
      }
    }
    throw cannotServe("it does not come up; " + output + " may say why", null);
  }

  private static Optional<RunPage> find(Path run, StateFolder state) {
    Path file = WatchMain.address(state);
    try {
      boolean alive =
          Files.exists(WatchMain.identity(state))
              && ProcessIdentity.of(Json.parse(WatchMain.identity(state), ErrorCode.FORMAT))
                  .isAlive();
      if (!alive || !Files.exists(file)) {
        return Optional.empty();
      }
      String address = Files.readString(file, StandardCharsets.UTF_8).strip();
      return Optional.of(
          new RunPage(
              WatchServer.address(address, RunRegistry.idOf(run)),
              file,
              URI.create(address).getPort()));
    } catch (IOException | DuokaException e) {
      return Optional.empty(); // it is being started, or ends
    }
  }

  private static DuokaException cannotServe(String why, @Nullable Throwable cause) {
    String problem = "the run's page is not served: " + why;
    String remedy = "duoka watch serves it from a terminal; --no-watch does without";
    return cause == null
        ? new DuokaException(ErrorCode.IO, problem, remedy)
        : new DuokaException(ErrorCode.IO, problem, remedy, cause);
  }
}
