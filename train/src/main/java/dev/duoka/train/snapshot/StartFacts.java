package dev.duoka.train.snapshot;

import dev.duoka.formats.json.Json;
import dev.duoka.machine.environment.EnvironmentReport;
import dev.duoka.machine.probe.LiveProbe;
import dev.duoka.machine.probe.MachineSnapshot;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Program, libraries, machine and environment of this process. They are looked at once in a
 * process, on a thread of their own while the run prepares, so that a start waits for none of them.
 */
final class StartFacts {
  /** A card that is lost may never answer. */
  private static final long LIMIT_SECONDS = 5;

  /**
   * Variables that differ from start to start, or are a user's own, and that no run goes by: what
   * they decide is in other parts of a snapshot.
   */
  private static final Set<String> OF_ONE_START =
      Set.of(
          "PATH",
          "HOME",
          "VIRTUAL_ENV",
          "CONDA_PREFIX",
          "CONDA_DEFAULT_ENV",
          "XDG_CACHE_HOME",
          "container",
          "DUOKA_FAILURE_FILE",
          "DUOKA_GRACE_SECONDS",
          "DUOKA_RANK",
          "DUOKA_WORLD_SIZE",
          "DUOKA_RENDEZVOUS",
          "DUOKA_JAVA_HOME",
          "DUOKA_EVENT",
          "DUOKA_RUN",
          "DUOKA_TEXT");

  private static @Nullable CompletableFuture<ObjectNode> facts;

  private StartFacts() {}

  /** Begins to look, unless that was done; returns at once. */
  static synchronized CompletableFuture<ObjectNode> begin() {
    CompletableFuture<ObjectNode> begun = facts;
    if (begun == null) {
      begun =
          CompletableFuture.supplyAsync(
              StartFacts::read, task -> Thread.ofPlatform().daemon().name("snapshot").start(task));
      facts = begun;
    }
    return begun;
  }

  /** What was found; says so where the machine has not answered in time. */
  static ObjectNode await() {
    try {
      return begin().get(LIMIT_SECONDS, TimeUnit.SECONDS).deepCopy();
    } catch (TimeoutException e) {
      return unknown("it has not answered within " + LIMIT_SECONDS + " s");
    } catch (ExecutionException e) {
      return unknown(String.valueOf(e.getCause()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return unknown("the run was interrupted");
    }
  }

  private static ObjectNode unknown(String why) {
    ObjectNode json = Json.object();
    json.set("code", CodeFacts.read());
    json.putObject("machine").put("unknown", why);
    return json;
  }

  private static ObjectNode read() {
    ObjectNode json = Json.object();
    json.set("code", CodeFacts.read());
    MachineSnapshot machine = LiveProbe.hardware();
    json.set("libraries", LibraryVersions.of(EnvironmentReport.collect()));
    json.set("machine", HardwareFacts.of(machine));
    ObjectNode environment = json.putObject("environment");
    machine
        .environment()
        .optional()
        .orElseThrow()
        .forEach((name, value) -> put(environment, Map.entry(name, value)));
    return json;
  }

  private static void put(ObjectNode environment, Map.Entry<String, String> variable) {
    String name = variable.getKey();
    if (!OF_ONE_START.contains(name) && !name.startsWith("SLURM_")) {
      environment.put(name, variable.getValue());
    }
  }
}
