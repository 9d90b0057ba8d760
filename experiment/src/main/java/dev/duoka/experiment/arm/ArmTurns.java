package dev.duoka.experiment.arm;

import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.base.Resources;
import dev.duoka.formats.turn.TurnFile;
import dev.duoka.operations.run.WorkerFolder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Arms that are all on the device at once, of which one trains at a time. */
public final class ArmTurns {
  private static final long LOOK_MILLISECONDS = 2;

  /** After a turn, until what an arm's ranks still exchange is over. */
  private static final long PAUSE_MILLISECONDS = 20;

  private final TurnPlan plan;
  private final ArmCommand command;
  private final Path file;
  private final Progress progress;

  /**
   * Arms on one device.
   *
   * @param file by which they hear of their turns; made
   */
  public ArmTurns(TurnPlan plan, ArmCommand command, Path file, Progress progress) {
    this.plan = plan;
    this.command = command;
    this.file = file;
    this.progress = progress;
  }

  /**
   * How it ended.
   *
   * @param arms that have trained to the end, or, after a failure, all; the first two at least
   * @param failed the one that failed; -1 for none
   * @param began how many were there by then
   * @param failure why
   */
  public record Ended(
      List<Arm> arms, int failed, int began, Optional<WorkerFolder.Failure> failure) {
    public Ended {
      arms = List.copyOf(arms);
    }

    /** Whether memory ran out while several arms were on the device. */
    public boolean doNotFitTogether() {
      return began > 1 && failure.filter(it -> it.code() == ErrorCode.OUT_OF_MEMORY).isPresent();
    }
  }

  /**
   * Trains; returns when all have ended. Each arm has warmed up before the next one starts, so that
   * it holds what it ever needs. An arm behind the second one for which there is no room then is
   * left out.
   */
  public Ended run(List<Arm> arms) throws InterruptedException {
    TurnFile turns = TurnFile.create(file);
    for (int arm = 0; arm < arms.size(); arm++) {
      turns.allow(arm, plan.warm());
    }
    try (Resources resources = new Resources()) {
      List<ArmProcess> processes = new ArrayList<>();
      for (Arm arm : arms) {
        int number = processes.size();
        progress.reached("starting the arm '" + arm.name() + "'", number, arms.size());
        ArmProcess process =
            resources.own(
                ArmProcess.start(
                    arm.output(),
                    command.words(arm, plan.last(), false),
                    ArmCommand.environment(file, number)));
        processes.add(process);
        if (!stands(turns, number, arm, plan.warm(), process)) {
          WorkerFolder.Failure failure = process.failure();
          return number >= 2 && failure.code() == ErrorCode.OUT_OF_MEMORY
              ? train(turns, arms.subList(0, number), processes.subList(0, number))
              : new Ended(arms, number, number + 1, Optional.of(failure));
        }
      }
      return train(turns, arms, processes);
    }
  }

  private Ended train(TurnFile turns, List<Arm> arms, List<ArmProcess> processes)
      throws InterruptedException {
    List<TurnPlan.Turn> all = plan.turns(arms.size());
    int done = 0;
    for (TurnPlan.Turn turn : all) {
      progress.reached("training in turns", done++, all.size());
      ArmProcess process = processes.get(turn.arm());
      turns.allow(turn.arm(), turn.until());
      boolean last = turn.until() == plan.last();
      if (last) { // it ends, and writes the last of its lines
        process.await();
      }
      boolean well =
          last
              ? process.hasSucceeded()
              : stands(turns, turn.arm(), arms.get(turn.arm()), turn.until(), process);
      if (!well) {
        return new Ended(arms, turn.arm(), arms.size(), Optional.of(process.failure()));
      }
      Thread.sleep(PAUSE_MILLISECONDS);
    }
    return new Ended(arms, -1, arms.size(), Optional.empty());
  }

  /** Waits until an arm has come so far; false when it ends before. */
  private static boolean stands(TurnFile turns, int number, Arm arm, long steps, ArmProcess process)
      throws InterruptedException {
    while (!turns.stands(number, arm.ranks(), steps)) {
      if (!process.isAlive()) {
        return false;
      }
      Thread.sleep(LOOK_MILLISECONDS);
    }
    return true;
  }
}
