package dev.duoka.train.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.OutOfMemoryException;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.memory.LessMemory;
import dev.duoka.train.memory.MemoryUse;
import dev.duoka.train.memory.TooLittleMemoryException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is proposed for too little memory takes less of what it was taken for. */
class StepRemediesTests {
  private static final OutOfMemoryException FULL =
      OutOfMemoryException.of(Device.CPU, 1 << 30, "", null);

  @TempDir Path folder;

  private RunConfig config(String... overrides) throws IOException {
    return SmallRun.config(folder, overrides);
  }

  private static StepRemedies remedies(RunConfig config) {
    return new StepRemedies(config, ModelSource.config(config.model()), 0);
  }

  @Test
  void statesAreSharedOutAndNoMicroBatchIsMadeSmaller() throws IOException {
    StepRemedies remedies = remedies(config("parallel={data: 2}"));
    remedies.leaveSteps(MemoryUse.STATES, "loads the checkpoint");
    TooLittleMemoryException ends = remedies.ends(FULL, 2);
    assertThat(ends.problem())
        .startsWith("rank 0 of 2 cannot allocate 1.00 GiB on cpu beside the ")
        .endsWith(" while it loads the checkpoint");
    assertThat(ends.overrides()).containsExactly("training.micro_batch=4", "parallel.zero=1");
    assertThat(ends.remedy())
        .isEqualTo("A start with training.micro_batch=4 parallel.zero=1 takes less of that");
    assertThat(ends.isInStep()).isFalse();
  }

  @Test
  void whatHasNoBackwardPassNeedsNoRecompute() throws IOException {
    RunConfig config = config("parallel={data: 2}", "training.micro_batch=1");
    StepRemedies remedies = remedies(config);
    remedies.leaveSteps(MemoryUse.EVALUATION, "validates after step 2");
    assertThat(remedies.ends(FULL, 2).overrides())
        .containsExactly("training.micro_batch=1", "parallel.zero=1");
    StepRemedies larger = remedies(config("parallel={data: 2}"));
    larger.leaveSteps(MemoryUse.EVALUATION, "validates after step 2");
    assertThat(larger.ends(FULL, 2).overrides()).containsExactly("training.micro_batch=2");
  }

  /** Micro-batches that steps have split in place are those of a validation after a new start. */
  @Test
  void whatStepsHaveGoneOverToHelpsOthersFromTheNextStartOn() throws IOException {
    StepRemedies remedies = remedies(config());
    remedies.take(0);
    remedies.leaveSteps(MemoryUse.EVALUATION, "validates after step 2");
    assertThat(remedies.ends(FULL, 1).overrides()).containsExactly("training.micro_batch=2");
  }

  @Test
  void whereNoSettingHelpsNoneIsProposed() throws IOException {
    StepRemedies remedies = remedies(config());
    remedies.leaveSteps(MemoryUse.STATES, "fills its weights");
    TooLittleMemoryException ends = remedies.ends(FULL, 1);
    assertThat(ends.overrides()).isEmpty();
    assertThat(ends.remedy())
        .startsWith("No setting of the run takes less of that: take a smaller");
    remedies.enterSteps();
    assertThat(remedies.ends(FULL, 1).overrides()).containsExactly("training.micro_batch=2");
  }

  /** Each can be asked of a supervisor, whose ladder has them or beside it. */
  @Test
  void whatIsProposedIsInTheSupervisorsPlan() throws IOException {
    RunConfig config = config("parallel={data: 2}");
    LessMemory ladder = LessMemory.of(config);
    List<List<String>> all = new ArrayList<>(LessMemory.outsideOfSteps(config));
    ladder.ways().forEach(way -> all.add(way.overrides(config)));
    assertThat(all).doesNotHaveDuplicates();
    for (MemoryUse use : List.of(MemoryUse.EVALUATION, MemoryUse.STATES)) {
      for (int gone = 0; gone <= ladder.ways().size(); gone++) { // steps went over to that many
        StepRemedies remedies = remedies(config);
        if (gone > 0) {
          remedies.take(gone - 1);
        }
        remedies.leaveSteps(use, "does something");
        List<String> proposed = remedies.ends(FULL, 2).overrides();
        if (!proposed.isEmpty()) {
          assertThat(all).as("%s after %d", use, gone).contains(proposed);
        }
      }
    }
    assertThat(LessMemory.outsideOfSteps(config("remedies.out_of_memory=false"))).isEmpty();
  }
}
