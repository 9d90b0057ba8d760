package dev.duoka.operations.hang;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.heartbeat.Phase;
import dev.duoka.formats.prediction.PredictedStep;
import dev.duoka.formats.prediction.Prediction;
import dev.duoka.formats.prediction.PredictionFile;
import dev.duoka.operations.hang.HangWatch.Finding;
import dev.duoka.operations.process.KernelWait;
import dev.duoka.operations.run.RunExpectation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whether hangs are noticed, in ranks that only write their files. */
final class HangWatchTests {
  private static final HangLimits LIMITS = new HangLimits(5, 30, RunExpectation.UNKNOWN);

  /** Of data 2 × tensor 2 × pipeline 2: who else is in a rank's group of a kind. */
  private static final Map<String, Integer> GROUPS = Map.of("tensor", 1, "data", 2, "pipeline", 4);

  @TempDir Path folder;

  private HangExplanation explain(Ranks ranks, Set<Long> stopped) {
    return HangExplanation.of(ranks.views(), new ProcessViews(stopped, Map.of(), Map.of()));
  }

  /**
   * Each rank in turn stops in each kind of group: those of the group wait for it, others for them.
   */
  @ParameterizedTest
  @CsvSource({"tensor, all-reduce", "data, reduce-scatter", "pipeline, receive"})
  void theRankThatNeverCameIsNamed(String kind, String operation) {
    for (int culprit = 0; culprit < 8; culprit++) {
      Ranks ranks = new Ranks(folder, 8, LIMITS);
      ranks.takeSteps(120);
      int partner = culprit ^ GROUPS.getOrDefault(kind, 0);
      for (int rank = 0; rank < 8; rank++) {
        if (rank == partner) {
          ranks.begins(rank, operation, kind, operation.equals("receive") ? culprit : -1);
        } else if (rank != culprit) {
          ranks.begins(rank, "all-reduce", "world", -1);
        }
      }
      assertThat(ranks.pass(4.5)).isEqualTo(Finding.FINE);
      assertThat(ranks.pass(1.5)).isEqualTo(Finding.HANGS);
      HangExplanation explanation = explain(ranks, Set.of());
      assertThat(explanation.culprits()).containsExactly(culprit);
      assertThat(explanation.message())
          .startsWith("rank " + culprit + " never came: it has not got further for ")
          .contains("rank " + partner + " waits in " + operation + " of 64 × FLOAT32")
          .contains(" in " + kind + ", exchange 121, step 120");
    }
  }

  @Test
  void ofTwoBothAreNamed() {
    Ranks ranks = new Ranks(folder, 4, LIMITS);
    ranks.takeSteps(120);
    ranks.begins(0, "all-reduce", "world", -1);
    ranks.begins(3, "all-reduce", "world", -1);
    assertThat(ranks.pass(6)).isEqualTo(Finding.HANGS);
    HangExplanation explanation = explain(ranks, Set.of());
    assertThat(explanation.culprits()).containsExactly(1, 2);
    assertThat(explanation.message()).contains("ranks [0, 3] wait in all-reduce");
  }

  /** A process that is stopped in an exchange that all have begun. */
  @Test
  void aStoppedProcessIsNamedAlsoWhenAllWait() {
    Ranks ranks = new Ranks(folder, 2, LIMITS);
    ranks.takeSteps(120);
    ranks.begins(0, "all-reduce", "world", -1);
    ranks.begins(1, "all-reduce", "world", -1);
    assertThat(ranks.pass(6)).isEqualTo(Finding.HANGS);
    assertThat(explain(ranks, Set.of()).culprits()).isEmpty();
    HangExplanation stopped = explain(ranks, Set.of(ProcessHandle.current().pid()));
    assertThat(stopped.culprits()).containsExactly(0, 1); // both are in the one process here
    assertThat(stopped.message()).contains("is stopped (SIGSTOP)");
  }

  /** Waiting is sleeping, but for the ranks of a GPU, which all spin. */
  @Test
  void aRankThatRunsWithinAnExchangeIsNamed() {
    Ranks ranks = new Ranks(folder, 3, LIMITS);
    ranks.takeSteps(120);
    for (int rank = 0; rank < 3; rank++) {
      ranks.begins(rank, "all-reduce", "world", -1);
    }
    assertThat(ranks.pass(6)).isEqualTo(Finding.HANGS);
    KernelWait runs = new KernelWait('R', "");
    KernelWait sleeps = new KernelWait('S', "poll");
    HangExplanation one = explain(ranks, Map.of(0, sleeps, 1, runs, 2, sleeps));
    assertThat(one.culprits()).containsExactly(1);
    assertThat(one.message())
        .startsWith("rank 1 has been for ")
        .contains("; its thread runs", "ranks [0, 2] wait in all-reduce");
    assertThat(explain(ranks, Map.of(0, runs, 1, runs, 2, runs)).culprits()).isEmpty();
    assertThat(explain(ranks, Map.of(0, sleeps, 1, sleeps, 2, sleeps)).culprits()).isEmpty();
  }

  private HangExplanation explain(Ranks ranks, Map<Integer, KernelWait> waits) {
    return HangExplanation.of(ranks.views(), new ProcessViews(Set.of(), Map.of(), waits));
  }

  /** A rank that waits is not late as long as the one that it waits for may take its time. */
  @Test
  void whoWaitsForASlowRankIsNotLate() {
    Ranks ranks = new Ranks(folder, 2, LIMITS);
    ranks.takeSteps(120);
    ranks.begins(1, "all-reduce", "world", -1);
    ranks.enters(0, Phase.SAVING, 1_500_000_000L); // 90 s of a slow disk
    assertThat(ranks.pass(30)).isEqualTo(Finding.FINE);
    assertThat(ranks.pass(70)).isEqualTo(Finding.HANGS);
  }

  @Test
  void aSlowFirstStepAndASlowValidationAreNoHang() {
    Ranks ranks = new Ranks(folder, 1, LIMITS);
    ranks.enters(0, Phase.STEP, 0);
    assertThat(ranks.pass(25)).isEqualTo(Finding.FINE);
    ranks.takeSteps(120);
    ranks.enters(0, Phase.VALIDATION, 0);
    assertThat(ranks.pass(20)).isEqualTo(Finding.FINE);
  }

  /** Before a hundred steps the prediction counts ten times; of a save the rate of the disk. */
  @Test
  void whatWasPredictedAndMeasuredIsWaitedFor() {
    Ranks ranks = new Ranks(folder, 1, new HangLimits(5, 30, new RunExpectation(6, 1e6)));
    ranks.enters(0, Phase.STEP, 0);
    assertThat(ranks.pass(59)).isEqualTo(Finding.FINE);
    assertThat(ranks.pass(2)).isEqualTo(Finding.HANGS);
    ranks.takeSteps(120);
    ranks.enters(0, Phase.SAVING, 100_000_000); // 100 s at the rate that was measured
    assertThat(ranks.pass(299)).isEqualTo(Finding.FINE);
    assertThat(ranks.pass(2)).isEqualTo(Finding.HANGS);
  }

  @Test
  void theRateOfTheDiskIsThatOfTheSlowestSave() throws IOException {
    assertThat(RunExpectation.of(folder)).isEqualTo(RunExpectation.UNKNOWN);
    Files.writeString(
        folder.resolve("run.log"),
        """
        2026-01-01T00:00:00Z saved x/step-00000005 (2.0 GiB in 4.0 s)
        2026-01-01T00:01:00Z saved x/step-00000010 (2.0 GiB in 16.0 s)
        2026-01-01T00:02:00Z saved x/step-00000015 (1.0 KiB in 0.0 s)
        """);
    PredictionFile.write(
        folder.resolve(PredictionFile.name(7)),
        new Prediction(
            List.of(),
            List.of(),
            Optional.of(new PredictedStep(2, 1, 3, 1, Map.of(), Map.of(), "test")),
            ""));
    assertThat(RunExpectation.of(folder)).isEqualTo(new RunExpectation(3, 2.0 * (1 << 30) / 16));
  }

  @Test
  void whatTakesLongEveryTimeIsExpected() {
    Ranks ranks = new Ranks(folder, 1, LIMITS);
    ranks.takeSteps(120);
    for (int i = 0; i < 5; i++) {
      assertThat(ranks.pass(4.5)).isEqualTo(Finding.FINE);
      ranks.takeSteps(1);
    }
    assertThat(ranks.pass(13)).isEqualTo(Finding.FINE); // three times 4.5 s
    assertThat(ranks.pass(2)).isEqualTo(Finding.HANGS);
  }

  @Test
  void aPauseOfTheMachineIsNoHang() {
    Ranks ranks = new Ranks(folder, 2, LIMITS);
    ranks.takeSteps(120);
    assertThat(ranks.sleep(3600)).isEqualTo(Finding.FINE);
    assertThat(ranks.pass(4.5)).isEqualTo(Finding.FINE);
    ranks.takeSteps(1);
    assertThat(ranks.pass(4.5)).isEqualTo(Finding.FINE);
  }

  @Test
  void aRankThatMovesAgainIsReported() {
    Ranks ranks = new Ranks(folder, 2, LIMITS);
    ranks.takeSteps(120);
    long waits = ranks.begins(0, "all-reduce", "world", -1);
    assertThat(ranks.pass(6)).isEqualTo(Finding.HANGS);
    ranks.ends(1, ranks.begins(1, "all-reduce", "world", -1));
    ranks.ends(0, waits);
    assertThat(ranks.pass(0.5)).isEqualTo(Finding.MOVES);
    ranks.takeSteps(1);
    assertThat(ranks.pass(4)).isEqualTo(Finding.FINE);
  }

  @Test
  void oneMoreLimitEndsIt() {
    Ranks ranks = new Ranks(folder, 2, LIMITS);
    ranks.takeSteps(120);
    ranks.begins(0, "all-reduce", "world", -1);
    assertThat(ranks.pass(9.5)).isEqualTo(Finding.HANGS);
    assertThat(ranks.pass(2)).isEqualTo(Finding.LASTS);
  }

  @Test
  void evidenceHoldsTheLastExchanges() {
    Ranks ranks = new Ranks(folder, 2, LIMITS);
    ranks.takeSteps(20);
    ranks.begins(0, "receive", "pipeline", 1);
    ranks.pass(31);
    List<String> lines = explain(ranks, Set.of()).evidence().lines().toList();
    assertThat(lines)
        .contains("  receive of 64 × FLOAT32 from rank 1 in pipeline, exchange 21, not ended");
    assertThat(IntStream.range(10, 20))
        .allMatch(i -> lines.contains("  all-reduce of 64 × FLOAT32 in world, exchange " + i));
  }
}
