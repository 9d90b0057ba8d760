package dev.duoka.operations.supervise;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.operations.control.ControlClient;
import dev.duoka.operations.process.OwnCommand;
import dev.duoka.operations.run.LaunchSpec;
import dev.duoka.operations.run.RunRegistry;
import dev.duoka.operations.run.RunStatus;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Starts the supervisor of a run, which goes on whatever becomes of the process that does so. */
public final class SupervisorStart {
  private static final List<String> FLAGS =
      List.of(
          "-Xmx64m",
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:-UsePerfData",
          "-XX:ReservedCodeCacheSize=16m",
          "-Xss512k");

  private SupervisorStart() {}

  /**
   * Starts a run.
   *
   * @throws DuokaException when the folder's run goes on already
   */
  public static void begin(SupervisionFolder folder, LaunchSpec launch, StateFolder state) {
    try {
      Files.createDirectories(folder.path());
      boolean active =
          new ControlClient(state, folder).isThere()
              || (Files.exists(folder.launch())
                  && RunStatus.of(
                          new RunRegistry.Entry(
                              folder.run(), Instant.EPOCH, folder.node(), Optional.empty()))
                      .isActive());
      if (active) {
        throw new DuokaException(
            ErrorCode.IO,
            "the run of " + folder.run() + " goes on already",
            "duoka attach " + folder.run() + " shows it; or choose another --run-dir");
      }
      Files.deleteIfExists(folder.end());
      Files.deleteIfExists(folder.record());
      Files.deleteIfExists(folder.remedies());
    } catch (IOException e) {
      throw cannotStart(folder, e);
    }
    launch.write(folder);
    new RunRegistry(state).add(folder.run(), folder.node(), Optional.empty());
    start(folder);
  }

  /** Starts a supervisor, which takes over the workers that are there. */
  public static void start(SupervisionFolder folder) {
    List<String> command = new ArrayList<>(List.of("setsid"));
    command.addAll(OwnCommand.java(FLAGS, "dev.duoka.operations", SupervisorMain.class.getName()));
    command.addAll(List.of(folder.run().toString(), String.valueOf(folder.node())));
    try {
      new ProcessBuilder(command)
          .redirectInput(new File("/dev/null"))
          .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.supervisorOutput().toFile()))
          .redirectErrorStream(true)
          .start();
    } catch (IOException e) {
      throw cannotStart(folder, e);
    }
  }

  private static DuokaException cannotStart(SupervisionFolder folder, IOException e) {
    return new DuokaException(
        ErrorCode.IO,
        "cannot start the supervisor of " + folder.run() + ": " + IoReason.of(e),
        "setsid (util-linux) must be on PATH; --no-supervise does without a supervisor",
        e);
  }
}
