package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.memory.StepMemory;
import dev.duoka.train.step.RankBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A rank that can have no more memory in the middle of a run. */
class RankMemoryTests {
  private static final String LIMIT = "duoka.rankMemory";
  private static final String ALLOCATES =
      " while it allocates its weights, gradients and the optimizer's states";

  @TempDir Path folder;

  @AfterEach
  void noLimit() {
    System.clearProperty(LIMIT);
  }

  /** What the largest rank needs, in bytes, as its dry run counts it. */
  private static long need(RunConfig config) {
    return new StepMemory(
            new RankBuilder(config, ModelSource.config(config.model()), null).plan(0),
            Device.CPU,
            1,
            List.of(),
            false)
        .need()
        .bytes();
  }

  private void refuses(double share, String rank, String remedy, String... overrides)
      throws IOException {
    refuses("", share, rank, remedy, overrides);
  }

  /**
   * @param doing how the message ends, of a failure outside of steps
   */
  private void refuses(String doing, double share, String rank, String remedy, String... overrides)
      throws IOException {
    RunConfig config = SmallRun.wide(folder, overrides);
    long limit = (long) (share * need(config));
    System.setProperty(LIMIT, Long.toString(limit));
    long before = MemoryLedger.of(Device.CPU).liveBytes();
    assertThatThrownBy(() -> SmallRun.run(config, folder.resolve("run"), new SmallRun.Listener()))
        .isInstanceOfSatisfying(
            DuokaException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.OUT_OF_MEMORY);
              assertThat(e.problem())
                  .matches(rank + " cannot allocate .* on cpu beside the .* that it holds" + doing)
                  .contains("weights ");
              assertThat(e.remedy()).startsWith(remedy);
            });
    assertThat(MemoryLedger.of(Device.CPU).liveBytes()).as("nothing stays").isEqualTo(before);
  }

  private static final String[] LARGE = {"training.micro_batch=16", "data.sequence_length=32"};

  private static String[] large(String more) {
    return new String[] {LARGE[0], LARGE[1], more, "remedies={out_of_memory: false}"};
  }

  @Test
  void oneRankSaysWhatItHeldAndWhatFits() throws IOException {
    refuses(
        0.95, "rank 0 of 1", "This would fit: micro-batch 8 (", large("validation.every_steps=0"));
    refuses(
        " while it validates after step 20",
        0.95,
        "rank 0 of 1",
        "A start with training.micro_batch=", // steps have split theirs in place by then
        LARGE);
  }

  @Test
  void whatIsNamedFits() throws IOException {
    RunConfig half = SmallRun.wide(folder, "training.micro_batch=8");
    RunConfig whole = SmallRun.wide(folder, LARGE);
    assertThat(need(half)).isLessThan((long) (0.95 * need(whole)));
    System.setProperty(LIMIT, Long.toString((long) (0.95 * need(whole))));
    RunResult result = SmallRun.run(half, folder.resolve("run"), new SmallRun.Listener(), 2, false);
    assertThat(result.steps()).isEqualTo(2);
  }

  /** Where the step is not repeated in smaller micro-batches, which would fit. */
  @Test
  void ofSeveralRanksAllEndWithTheMessageOfOne() throws IOException {
    refuses(0.95, "rank [01] of 2", "This would fit: ", large("parallel={tensor: 2}"));
    refuses(0.9, "rank [01] of 2", "This would fit: ", large("parallel={pipeline: 2}"));
  }

  @Test
  void wherePassesCannotKeepLessStatesAreShared() throws IOException {
    String[] least = {"training.micro_batch=1", "training.recompute=full", "parallel={data: 2}"};
    refuses(
        ALLOCATES,
        0.95,
        "rank [01] of 2",
        "A start with training.micro_batch=1 parallel.zero=1 takes less of that",
        least);
  }

  /** Smaller micro-batches would not help. */
  @Test
  void whatThereIsBeforeAnyStepIsNamed() throws IOException {
    refuses(ALLOCATES, 0.2, "rank 0 of 1", "No setting of the run takes less of that: ");
    refuses(
        ALLOCATES,
        0.2,
        "rank [01] of 2",
        "A start with training.micro_batch=4 parallel.zero=",
        "parallel={data: 2}");
  }
}
