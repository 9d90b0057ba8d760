package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.diagnosis.rule.Component;
import dev.duoka.diagnosis.rule.Role;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What the run survived is no failure; what ended it is. */
final class AftermathTests {
  private static final String OUT_OF_MEMORY =
      "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 3.00 GiB. GPU 0 has a total"
          + " capacity of 79.11 GiB of which 1.38 GiB is free.\n";
  private static final String TIME_OUT =
      "[rank0]:[E0704 12:30:45.111222333 ProcessGroupNCCL.cpp:607] [Rank 0] Watchdog caught"
          + " collective operation timeout: WorkNCCL(SeqNum=90, OpType=ALLREDUCE, NumelIn=1,"
          + " NumelOut=1, Timeout(ms)=600000) ran for 600017 milliseconds before timing out.\n";

  private static String steps(String prefix, int from, int to) {
    return IntStream.range(from, to)
        .mapToObj(i -> prefix + "step " + i + " loss " + (2 + 1.0 / (i + 1)) + "\n")
        .collect(Collectors.joining());
  }

  private static List<Finding> findings(String... parts) {
    return Logs.diagnose(String.join("", parts)).findings();
  }

  @Test
  void aCaughtErrorIsNoFailureButIsShown() {
    Diagnosis diagnosis =
        Logs.diagnose("trying batch size 64\n" + OUT_OF_MEMORY + "trying 32\n" + steps("", 0, 5));
    assertThat(diagnosis.findings()).isEmpty();
    assertThat(diagnosis.survived()).extracting(Evidence::line).containsExactly(2L);
    assertThat(DiagnosisJson.of(diagnosis).path("survived").size()).isEqualTo(1);
  }

  @Test
  void aRunThatEndedWellDidNotFail() {
    for (String end :
        List.of(
            "Training completed. Final loss 1.9",
            "done, exiting with code 0",
            "Finished training")) {
      assertThat(findings(steps("", 0, 3), OUT_OF_MEMORY, "smaller batch\n", end, "\n"))
          .as(end)
          .isEmpty();
    }
  }

  private static final String BAD_RECORD =
      """
      Traceback (most recent call last):
        File "/app/data.py", line 4, in read
      json.decoder.JSONDecodeError: Expecting ',' delimiter: line 1 column 9 (char 8)
      """;

  @Test
  void aSkippedRecordWithItsTracebackIsNoFailure() {
    String warning = "2026-02-03 10:11:12 WARNING data: skipping record 17\n";
    assertThat(findings(steps("", 0, 3), warning, BAD_RECORD, steps("", 3, 9))).isEmpty();
    String thread = "Exception in thread Thread-3 (upload):\n";
    assertThat(findings(steps("", 0, 3), thread, BAD_RECORD, steps("", 3, 9))).isEmpty();
  }

  @Test
  void stepsThatMayHaveBeenBufferedDoNotAbsolveAnExceptionThatNobodyHandled() {
    List<Finding> findings = findings(steps("", 0, 3), BAD_RECORD, steps("", 3, 60));
    assertThat(findings).hasSize(1);
    assertThat(findings.getFirst().component()).isEqualTo(Component.DATA);
    double alone = findings(steps("", 0, 3), BAD_RECORD).getFirst().confidence();
    assertThat(findings.getFirst().confidence()).isLessThan(alone);
    assertThat(findings("[rank3]: " + BAD_RECORD.replace("\n", "\n[rank3]: "), steps("", 3, 60)))
        .isNotEmpty();
  }

  @Test
  void moreStepsThanABufferHoldsAbsolveIt() {
    assertThat(findings(BAD_RECORD, steps("", 3, 900))).isEmpty();
    assertThat(findings(BAD_RECORD, steps("", 3, 60), "Training complete\n")).isEmpty();
  }

  @Test
  void aChainOfExceptionsIsHandledWhereItsFirstIs() {
    String chain =
        BAD_RECORD
            + "\nDuring handling of the above exception, another exception occurred:\n\n"
            + "Traceback (most recent call last):\n  File \"/app/data.py\", line 9, in retry\n"
            + "OSError: [Errno 5] Input/output error: 'a.jsonl'\n";
    assertThat(findings("ERROR data: cannot read a.jsonl, skipping it\n", chain, steps("", 3, 9)))
        .isEmpty();
    assertThat(findings(chain, steps("", 3, 9))).isNotEmpty();
  }

  @Test
  void stepsOfAnotherRankDoNotAbsolve() {
    List<Finding> findings =
        findings(
            steps("[rank0]: ", 0, 5),
            "[rank3]: " + OUT_OF_MEMORY,
            steps("[rank0]: ", 5, 30),
            steps("[rank1]: ", 5, 30));
    assertThat(findings).isNotEmpty();
    assertThat(findings.getFirst().rank()).hasValue(3);
    assertThat(findings("[rank3]: " + OUT_OF_MEMORY, steps("[rank3]: ", 5, 7))).isEmpty();
  }

  @Test
  void stepsInAnotherRanksFileDoNotAbsolve() {
    Diagnosis diagnosis =
        Diagnosis.of(
            List.of(
                Logs.source("logs/rank0.log", steps("", 0, 50)),
                Logs.source("logs/rank1.log", steps("", 0, 20) + OUT_OF_MEMORY)));
    Finding best = diagnosis.findings().getFirst();
    assertThat(best.rank()).hasValue(1);
    assertThat(best.ranks()).containsExactly(1);
  }

  @Test
  void oneStepThatWasOnItsWayProvesNothing() {
    assertThat(findings(steps("", 0, 5), OUT_OF_MEMORY, steps("", 5, 6))).isNotEmpty();
    assertThat(findings(steps("", 0, 5), "[rank3]: " + OUT_OF_MEMORY, steps("", 5, 7)))
        .isNotEmpty();
  }

  @Test
  void whatComesAfterTheLastStepCounts() {
    List<Finding> findings =
        findings(OUT_OF_MEMORY, steps("", 0, 500), TIME_OUT, "ChildFailedError\n");
    assertThat(findings.getFirst().role()).isEqualTo(Role.MESSENGER);
    assertThat(findings).extracting(Finding::rootCause).doesNotContain("cuda_oom");
  }

  @Test
  void aFaultOfTheMachineMayEndTheRunLater() {
    List<Finding> findings =
        findings(
            steps("", 0, 5),
            "[ 9912.441200] mlx5_core 0000:9c:00.0 ens8np0: Link down\n",
            steps("", 5, 400),
            TIME_OUT);
    assertThat(findings.getFirst().rootCause()).isEqualTo("ib_async_event");
    assertThat(findings.getFirst().confidence()).isLessThan(0.7);
  }

  @Test
  void errorsThatArePrintedBeforeTheLastBufferedStepsStayTheCauseWhereTheJobFailed() {
    List<Finding> findings =
        findings(
            steps("", 0, 5),
            OUT_OF_MEMORY,
            steps("", 5, 9),
            "srun: error: n3: task 0: Exited with exit code 1\n");
    assertThat(findings.getFirst().rootCause()).isEqualTo("cuda_oom");
  }

  @Test
  void aLossThatIsNoNumberIsNotMendedByTheEnd() {
    assertThat(findings(steps("", 0, 5), "step 5 loss nan\nstep 6 loss nan\nTraining complete\n"))
        .isNotEmpty();
    assertThat(findings("step 5 loss nan\n", steps("", 6, 90))).isEmpty();
  }

  @Test
  void aLinkThatComesUpAgainIsNoFailureByItself() {
    String down = "[   11.1] mlx5_core 0000:1b:00.0 ens2f0: Link down\n";
    assertThat(findings(down, "[   13.2] mlx5_core 0000:1b:00.0 ens2f0: Link up\n")).isEmpty();
    assertThat(findings(down, "[   13.2] mlx5_core 0000:1b:00.1 ens2f1: Link up\n")).isNotEmpty();
    assertThat(
            findings(down, "[   13.2] mlx5_core 0000:1b:00.0 ens2f0: Link up\n", TIME_OUT)
                .getFirst()
                .rootCause())
        .isEqualTo("ib_async_event");
  }

  @Test
  void progressIsFoundAcrossBlocks() {
    assertThat(findings(OUT_OF_MEMORY, "padding of the log\n".repeat(600_000), steps("", 0, 3)))
        .isEmpty();
    assertThat(findings(steps("", 0, 3), "padding of the log\n".repeat(600_000), OUT_OF_MEMORY))
        .isNotEmpty();
  }
}
