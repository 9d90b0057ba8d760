package dev.duoka.train.checkpoint;

import dev.duoka.comm.SingleRank;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.layout.Precision;
import java.nio.file.Path;
import java.util.Optional;

/** A process that goes on from a run's latest checkpoint and saves step after step until killed. */
final class SavingProcess {
  private SavingProcess() {}

  /** Takes the run's folder; starts when a line comes in, and says each step before it is saved. */
  public static void main(String[] arguments) throws Exception {
    Path run = Path.of(arguments[0]);
    try (TestRank warm = TestRank.create(new SingleRank(), 0, Precision.BF16)) {
      warm.fill(0);
    }
    System.out.println("ready");
    if (System.in.read() < 0) {
      return; // The test is gone.
    }
    Optional<Checkpoint> latest =
        new CheckpointStore(run).latestValid(event -> say("unexpected " + event.text()));
    try (CheckpointWriter writer =
        new CheckpointWriter(
            run, TokenizerFiles.of("bytes"), new RetentionPolicy(2, 0), SavingProcess::report)) {
      LocalRanks.run(
          2,
          collectives -> {
            try (TestRank rank = TestRank.create(collectives, 1, Precision.BF16)) {
              // The step that is there is saved again first, as after a resume.
              long step = latest.map(Checkpoint::step).orElse(1L);
              while (true) {
                rank.fill(step);
                if (collectives.rank() == 0) {
                  say("saving " + step);
                }
                writer.save(collectives, rank.model(), rank.optimizer(), TestRank.state(step));
                step++;
              }
            }
          });
    }
  }

  private static void report(CheckpointEvent event) {
    switch (event) {
      case CheckpointEvent.SaveFailed _, CheckpointEvent.Damaged _, CheckpointEvent.NotDeleted _ ->
          say("unexpected " + event.text());
      case CheckpointEvent.Saved _,
          CheckpointEvent.Waited _,
          CheckpointEvent.WaitedForMemory _,
          CheckpointEvent.MemoryNotLocked _,
          CheckpointEvent.SetAside _,
          CheckpointEvent.CleanedUp _ -> {}
    }
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }
}
