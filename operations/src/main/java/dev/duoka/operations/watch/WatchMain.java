package dev.duoka.operations.watch;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.process.ProcessIdentity;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.databind.node.ObjectNode;

/**
 * The process that serves the pages of a user's runs, one on a machine: it lives on when a run ends
 * or dies, and ends when no run goes on and nobody has asked for a page for a while.
 */
public final class WatchMain {
  static final String ACCESS = "access";
  static final String PROBLEMS = "problems";

  private static final long TICK_MILLISECONDS = 500;

  private WatchMain() {}

  /**
   * Serves; its arguments are the user's folder of states, and how many seconds without a question
   * or a run end it.
   */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    serve(new StateFolder(Path.of(arguments[0])), Long.parseLong(arguments[1]));
    Runtime.getRuntime().halt(0);
  }

  /** Serves until there is no need to; returns at once where another process does. */
  private static void serve(StateFolder state, long idleSeconds)
      throws IOException, InterruptedException {
    Path folder = AddressFile.folder(state);
    try (FileChannel channel =
            FileChannel.open(
                folder.resolve("server.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock == null) {
        return;
      }
      WatchedRuns runs = WatchedRuns.listed(new RunRegistry(state));
      try (WatchServer server = WatchServer.start(runs, OptionalInt.empty(), Set.of());
          AddressFile file = AddressFile.write(address(state), server.address())) {
        Runtime.getRuntime().addShutdownHook(new Thread(file::close, "address"));
        PageAccess allowed = PageAccess.LOOPBACK;
        SortedMap<String, String> problems = new TreeMap<>();
        publish(state, allowed, problems);
        while (server.idleSeconds() < idleSeconds || runs.anyActive()) {
          PageAccess asked = PageAccess.read(state);
          if (!allowed.covers(asked)) {
            allow(server, allowed, asked, problems);
            allowed = allowed.and(asked);
            publish(state, allowed, problems);
          }
          Thread.sleep(TICK_MILLISECONDS);
        }
      }
    }
  }

  /**
   * Allows what was asked for.
   *
   * @param problems takes the addresses at which it cannot listen, and why
   */
  private static void allow(
      WatchServer server, PageAccess before, PageAccess asked, Map<String, String> problems) {
    asked.hosts().forEach(server::allow);
    for (String address : asked.addresses()) {
      if (!before.addresses().contains(address)) {
        try {
          server.listenAt(address);
        } catch (DuokaException e) {
          problems.put(address, e.problem());
        }
      }
    }
  }

  /** Says which process serves, what it was asked to allow, and what of that cannot be. */
  private static void publish(StateFolder state, PageAccess access, Map<String, String> problems)
      throws IOException {
    ObjectNode json = ProcessIdentity.own().json();
    json.set(ACCESS, access.json());
    ObjectNode failed = json.putObject(PROBLEMS);
    problems.forEach(failed::put);
    CrashSafeFiles.publish(identity(state), Json.line(json).getBytes(StandardCharsets.UTF_8));
  }

  /** The file with the address of the pages and the token. */
  static Path address(StateFolder state) {
    return AddressFile.folder(state).resolve("server.url");
  }

  /** The file that says which process serves them. */
  static Path identity(StateFolder state) {
    return AddressFile.folder(state).resolve("server.json");
  }
}
