package dev.duoka.operations.supervise;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Plural;
import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.RunProgress;
import dev.duoka.operations.run.SupervisionFolder;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** Starts the workers of an attempt, each with its place among the run's processes. */
final class WorkerStart {
  private static final int FIRST_PORT = 20_000;
  private static final int PORTS = 12_000;
  private static final int PORT_ATTEMPTS = 20;

  /** Places that somebody else has given to this process, not to its workers. */
  private static final List<String> OTHER_PLACES =
      List.of("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK");

  private final SupervisionFolder folder;

  /** What the workers of a run on one machine know each other by; others are given theirs. */
  private final String secret;

  WorkerStart(SupervisionFolder folder) {
    this.folder = folder;
    byte[] drawn = new byte[32];
    new SecureRandom().nextBytes(drawn);
    this.secret = HexFormat.of().formatHex(drawn);
  }

  /** What is started, for people. */
  static String text(LaunchSpec launch) {
    return Plural.of(launch.workers(), "worker")
        + (launch.place().nodes() == 1
            ? ""
            : " of node " + launch.place().node() + " of " + launch.place().nodes())
        + (launch.place().rule().isEmpty() ? "" : ", placed by " + launch.place().rule());
  }

  /**
   * Starts them.
   *
   * @param launch as it is now: on the cards that are left
   * @param number of the attempt
   * @param overrides of the run file, beyond those of the launch
   * @param again whether the launch had an attempt before: what is in the folder is its own
   */
  Attempt start(LaunchSpec launch, int number, List<String> overrides, boolean again) {
    List<String> command = new ArrayList<>(launch.command());
    overrides.forEach(override -> command.addAll(List.of("--set", override)));
    boolean resumes = again && RunProgress.newestCheckpoint(folder.run()).isPresent();
    if (resumes && !command.contains("--resume")) {
      command.add("--resume");
    }
    String rendezvous =
        launch.place().rendezvous().isEmpty()
            ? "127.0.0.1:" + freePort()
            : launch.place().rendezvous();
    List<Worker> workers = new ArrayList<>();
    for (int i = 0; i < launch.workers(); i++) {
      WorkerFolder worker = WorkerFolder.of(folder.attempt(number), i);
      workers.add(
          Worker.started(
              worker,
              Shim.start(
                  worker, command, launch.directory(), environment(launch, worker, rendezvous))));
    }
    return new Attempt(number, workers);
  }

  private Map<String, String> environment(
      LaunchSpec launch, WorkerFolder worker, String rendezvous) {
    Map<String, String> environment = new HashMap<>();
    OTHER_PLACES.forEach(name -> environment.put(name, ""));
    int process = launch.place().node() * launch.workers() + worker.number();
    environment.put("DUOKA_RANK", String.valueOf(process));
    environment.put("DUOKA_WORLD_SIZE", String.valueOf(launch.processes()));
    environment.put("DUOKA_RENDEZVOUS", rendezvous);
    if (launch.place().nodes() == 1) {
      environment.put("DUOKA_SECRET", secret);
    }
    if (launch.cards().size() < LaunchSpec.read(folder).cards().size()) { // some are lost
      environment.put("CUDA_VISIBLE_DEVICES", String.join(",", launch.cards()));
    }
    environment.put("DUOKA_FAILURE_FILE", worker.failureFile().toString());
    environment.put("DUOKA_REMEDY_FILE", worker.remedyFile().toString());
    return environment;
  }

  /**
   * One below those that the kernel lends to connections, where it can be had. Somebody else may
   * take it before the workers do; then they fail, and are started again.
   */
  private static int freePort() {
    for (int attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
      int port = FIRST_PORT + ThreadLocalRandom.current().nextInt(PORTS);
      if (isFree(port)) {
        return port;
      }
    }
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "this machine has no free port: " + IoReason.of(e), "", e);
    }
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false; // somebody has it
    }
  }
}
