package dev.duoka.experiment.arm;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Progress;
import dev.duoka.operations.run.WorkerFolder;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Two arms of which one is on the device at a time: A, B, B, A, each in a process of its own. Their
 * states wait in host memory, where it has room for both; otherwise every process begins with the
 * same weights, and nothing is known of the loss.
 */
public final class SwappedArms {
  /** Why losses are not compared then. */
  public static final String NO_STATES =
      "host memory has no room for the states of both arms: each part began with the same weights";

  private static final Path HOST_MEMORY = Path.of("/dev/shm");
  private static final String PREFIX = "duoka-trial-";
  private static final Pattern OWNER = Pattern.compile(PREFIX + "(\\d{1,10})-.*");
  private static final int ATTEMPTS = 10;
  private static final long ATTEMPT_MILLISECONDS = 200;

  private final TurnPlan plan;
  private final ArmCommand command;
  private final Path folder;
  private final Consumer<String> notice;
  private final Progress progress;

  /**
   * Arms of which one is there at a time.
   *
   * @param folder where their output goes
   */
  public SwappedArms(
      TurnPlan plan, ArmCommand command, Path folder, Consumer<String> notice, Progress progress) {
    this.plan = plan;
    this.command = command;
    this.folder = folder;
    this.notice = notice;
    this.progress = progress;
  }

  /** How it ended. */
  public sealed interface Outcome {}

  /**
   * Both have trained.
   *
   * @param keepsStates whether each arm has gone on from its own state
   */
  public record Trained(List<ArmSteps> arms, boolean keepsStates) implements Outcome {
    public Trained {
      arms = List.copyOf(arms);
    }
  }

  /** An arm could not. */
  public record Failed(int arm, WorkerFolder.Failure failure) implements Outcome {}

  /**
   * Trains; returns when both have ended.
   *
   * @param stateBytes what an arm's checkpoint takes at most
   * @param start what both begin with, beyond the first weights; empty for these
   */
  public Outcome run(List<Arm> arms, long stateBytes, Optional<ArmStart> start)
      throws InterruptedException {
    boolean keeps = hasRoom(arms.size() * stateBytes);
    notice.accept(
        "the arms do not fit on the device together: they take turns of "
            + plan.steps() / 2
            + " steps, "
            + (keeps ? "and their states wait in host memory" : "each from the same weights"));
    Path place = place(keeps);
    Thread atEnd = Thread.ofPlatform().unstarted(() -> deleteAtEnd(place));
    Runtime.getRuntime().addShutdownHook(atEnd);
    try {
      return run(arms.stream().map(arm -> arm.in(place)).toList(), keeps, start);
    } finally {
      delete(place);
      try {
        Runtime.getRuntime().removeShutdownHook(atEnd);
      } catch (IllegalStateException e) {
        // The JVM is ending, and deletes it once more.
      }
    }
  }

  private Outcome run(List<Arm> arms, boolean keeps, Optional<ArmStart> start)
      throws InterruptedException {
    List<TurnPlan.Turn> turns = plan.halves();
    Map<Integer, ArmSteps> taken = new HashMap<>();
    for (int number = 0; number < turns.size(); number++) {
      TurnPlan.Turn turn = turns.get(number);
      Arm arm = arms.get(turn.arm());
      progress.reached("training '" + arm.name() + "'", number, turns.size());
      boolean comesBack = taken.containsKey(turn.arm());
      if (!keeps || !comesBack) {
        begin(arm, start);
      }
      long until = keeps ? turn.until() : turn.until() - (number < 2 ? 0 : plan.firstHalf());
      try (ArmProcess process =
          ArmProcess.start(
              folder.resolve(arm.name() + "-output"), command.words(arm, until, keeps), Map.of())) {
        process.await();
        if (!process.hasSucceeded()) {
          return new Failed(turn.arm(), process.failure());
        }
      }
      ArmSteps steps = ArmSteps.read(arm.metrics());
      taken.merge(
          turn.arm(),
          steps,
          (first, second) -> keeps ? second : first.and(second, plan.firstHalf()));
    }
    return new Trained(List.of(steps(taken, 0), steps(taken, 1)), keeps);
  }

  private static ArmSteps steps(Map<Integer, ArmSteps> taken, int arm) {
    return Objects.requireNonNull(taken.get(arm));
  }

  /** Room for as much again stays free. */
  private static boolean hasRoom(long bytes) {
    try {
      return Files.isDirectory(HOST_MEMORY)
          && Files.getFileStore(HOST_MEMORY).getUsableSpace() > 2 * bytes;
    } catch (IOException e) {
      return false;
    }
  }

  private Path place(boolean keeps) {
    try {
      deleteForgotten();
      return keeps
          ? Files.createTempDirectory(HOST_MEMORY, PREFIX + ProcessHandle.current().pid() + "-")
          : Files.createTempDirectory(folder, "parts-");
    } catch (IOException e) {
      throw cannot("make a folder for the arms", e);
    }
  }

  /** What trials have left that were killed. */
  private static void deleteForgotten() throws IOException {
    if (!Files.isDirectory(HOST_MEMORY)) {
      return;
    }
    try (DirectoryStream<Path> left = Files.newDirectoryStream(HOST_MEMORY, PREFIX + "*")) {
      for (Path folder : left) {
        Matcher owner = OWNER.matcher(folder.getFileName().toString());
        if (owner.matches() && ProcessHandle.of(Long.parseLong(owner.group(1))).isEmpty()) {
          CrashSafeFiles.deleteTree(folder);
        }
      }
    }
  }

  /** The arm is being killed at the same time, and may write until it is. */
  private static void deleteAtEnd(Path place) {
    for (int attempt = 0; attempt < ATTEMPTS && Files.exists(place); attempt++) {
      try {
        Thread.sleep(ATTEMPT_MILLISECONDS);
        CrashSafeFiles.deleteTree(place);
      } catch (IOException e) {
        // Once more.
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private static void begin(Arm arm, Optional<ArmStart> start) {
    try {
      CrashSafeFiles.deleteTree(arm.run());
      Files.createDirectories(arm.run());
    } catch (IOException e) {
      throw cannot("make " + arm.run(), e);
    }
    start.ifPresent(it -> it.into(arm.run()));
  }

  private void delete(Path place) {
    try {
      CrashSafeFiles.deleteTree(place);
    } catch (IOException e) {
      notice.accept("cannot delete " + place + ": " + IoReason.of(e));
    }
  }

  private static DuokaException cannot(String what, IOException e) {
    return new DuokaException(
        ErrorCode.IO, "cannot " + what + ": " + IoReason.of(e), "Give a folder with --out", e);
  }
}
