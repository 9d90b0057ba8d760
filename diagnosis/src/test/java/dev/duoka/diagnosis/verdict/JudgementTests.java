package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.diagnosis.log.LogSource;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several lines, ranks and logs together. */
final class JudgementTests {
  private static String timeOut(int rank, int sequence, String operation, int size) {
    return "[rank%d]:[E0704 12:30:45.111222333 ProcessGroupNCCL.cpp:607] [Rank %d] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=%d, OpType=%s, NumelIn=%d, NumelOut=%d, Timeout(ms)=600000) ran for 600017 milliseconds before timing out."
        .formatted(rank, rank, sequence, operation, size, size);
  }

  private static Finding best(String... lines) {
    return Logs.diagnose(String.join("\n", lines) + "\n").findings().getFirst();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 42})
  void outOfMemoryWithAnyNumbersNamesRankAndSizes(int seed) {
    Random random = new Random(seed);
    int rank = random.nextInt(64);
    int gpu = rank % 8;
    double total = 20 + random.nextInt(160);
    double own = total - 1.5;
    Finding finding =
        best(
            "[rank%d]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate %.2f GiB. GPU %d has a total capacity of %.2f GiB of which 1.20 GiB is free. Including non-PyTorch memory, this process has %.2f GiB memory in use. Of the allocated memory %.2f GiB is allocated by PyTorch, and 200.00 MiB is reserved by PyTorch but unallocated."
                .formatted(rank, 2 + random.nextDouble(), gpu, total, own, own - 1.0));
    assertThat(finding.rootCause()).isEqualTo("cuda_oom");
    assertThat(finding.rank()).hasValue(rank);
    assertThat(finding.what()).contains("GPU " + gpu);
  }

  private static String detected(int rank, int group, int enqueued) {
    return "[rank%d]:[E0704 12:30:45.2 ProcessGroupNCCL.cpp:2271] [PG ID %d PG GUID 0 Rank %d]  failure detected by watchdog at work sequence id: 700 PG status: last enqueued work: %d, last completed work: 699"
        .formatted(rank, group, rank, enqueued);
  }

  private static String dumps(int rank, int group, int enqueued) {
    return "[rank%d]:[E0704 12:30:45.3 ProcessGroupNCCL.cpp:1411] [PG ID %d PG GUID 0 Rank %d] Received a dump signal due to a collective timeout from rank 0 and we will try our best to dump the debug info. Last enqueued NCCL work: %d, last completed NCCL work: %d."
        .formatted(rank, group, rank, enqueued, enqueued);
  }

  @ParameterizedTest
  @ValueSource(ints = {690, 699, 5})
  void theRankThatNeverStartedTheCollectiveLags(int started) {
    Finding finding =
        best(
            timeOut(0, 700, "ALLREDUCE", 64),
            detected(0, 0, 705),
            timeOut(1, 700, "ALLREDUCE", 64),
            dumps(2, 0, started),
            dumps(1, 0, 704));
    assertThat(finding.rootCause()).isEqualTo("lagging_rank");
    assertThat(finding.rank()).hasValue(2);
    assertThat(finding.decisive().line()).isEqualTo(4L);
  }

  /** Numbers of different process groups do not compare, nor is one ahead of the others late. */
  @Test
  void nobodyIsAccusedOfLaggingInAnotherGroup() {
    assertThat(
            best(timeOut(0, 700, "ALLREDUCE", 64), detected(0, 3, 705), dumps(1, 0, 5)).rootCause())
        .isNotEqualTo("lagging_rank");
    assertThat(
            best(timeOut(0, 700, "ALLREDUCE", 64), detected(0, 0, 705), dumps(1, 0, 701))
                .rootCause())
        .isNotEqualTo("lagging_rank");
  }

  @Test
  void theMissingSymbolOnRankZeroBeatsTheTimeOutOnRankOne() {
    Finding finding =
        best(
            timeOut(1, 6463, "ALLREDUCE", 1),
            "RuntimeError: Can't find nvmlDeviceGetGpuFabricInfoV:"
                + " /lib64/libnvidia-ml.so.1: undefined symbol:"
                + " nvmlDeviceGetGpuFabricInfoV");
    assertThat(finding.rootCause()).isEqualTo("nvml_symbol_missing");
    assertThat(finding.rank()).hasValue(0);
    assertThat(finding.consequences()).extracting(Evidence::line).contains(1L);
  }

  @Test
  void allRanksStuckInTheFirstCollective() {
    Finding finding =
        best(
            timeOut(0, 1, "ALLGATHER", 1),
            timeOut(1, 1, "ALLGATHER", 1),
            "[rank1]: RuntimeError: DDP expects same model across all ranks, but Rank 1 has 51"
                + " params, while rank 0 has inconsistent 0 params.");
    assertThat(finding.rootCause()).isEqualTo("first_collective_timeout");
    assertThat(finding.ranks()).contains(0, 1);
  }

  @Test
  void differentCollectivesAreAMismatch() {
    assertThat(best(timeOut(0, 31, "ALLREDUCE", 64), timeOut(1, 31, "BROADCAST", 1)).rootCause())
        .isEqualTo("collective_mismatch_timeout");
    assertThat(best(timeOut(0, 31, "ALLREDUCE", 64), timeOut(1, 30, "ALLREDUCE", 64)).rootCause())
        .isEqualTo("collective_mismatch_timeout");
  }

  @Test
  void aRankThatSaysNothingIsToBeAsked() {
    Finding finding =
        best(
            timeOut(0, 90, "ALLREDUCE", 64),
            timeOut(1, 90, "ALLREDUCE", 64),
            timeOut(3, 90, "ALLREDUCE", 64));
    assertThat(finding.rootCause()).isEqualTo("silent_rank");
    assertThat(finding.what()).contains("Unknown").contains("rank 2");
    assertThat(finding.confidence()).isLessThan(0.6);
  }

  @Test
  void theRankThatIsSpokenOfIsTheOneThatIsNamed() {
    Finding silent =
        best(
            timeOut(0, 90, "ALLREDUCE", 64),
            timeOut(1, 90, "ALLREDUCE", 64),
            timeOut(3, 90, "ALLREDUCE", 64));
    assertThat(silent.rank()).hasValue(2);
    assertThat(silent.ranks()).containsExactly(0, 1, 3);
    Finding alone =
        best(
            timeOut(0, 31, "ALLREDUCE", 64),
            timeOut(1, 31, "ALLREDUCE", 64),
            timeOut(2, 31, "BROADCAST", 1),
            timeOut(3, 31, "ALLREDUCE", 64));
    assertThat(alone.rank()).hasValue(2);
    assertThat(alone.decisive().text()).contains("BROADCAST");
    Finding two = best(timeOut(0, 31, "ALLREDUCE", 64), timeOut(1, 31, "BROADCAST", 1));
    assertThat(two.rank()).isEmpty();
  }

  @Test
  void aLineIsShownOnce() {
    Finding finding =
        best(
            "n7:22:30 [1] misc/ibvwrap.cc:187 NCCL WARN Call to ibv_modify_qp failed with error"
                + " Connection timed out errno 110",
            "[rank9]: ncclSystemError: System call (e.g. socket, malloc) or external library call"
                + " failed or device error.");
    assertThat(finding.rootCause()).isEqualTo("ib_peer_unreachable");
    assertThat(finding.fix()).doesNotContain("memlock");
    assertThat(finding.evidence()).extracting(Evidence::line).doesNotHaveDuplicates();
    assertThat(finding.consequences()).extracting(Evidence::line).doesNotContain(1L);
  }

  @Test
  void theSourceLineOfATracebackIsNoEvidence() {
    Finding finding =
        best(
            "  File \"/app/module.py\", line 2215, in load_state_dict",
            "    raise RuntimeError('Error(s) in loading state_dict for {}:'.format(",
            "RuntimeError: Error(s) in loading state_dict for Net:",
            "\tsize mismatch for head.weight: copying a param with shape torch.Size([10, 4]) from"
                + " checkpoint, the shape in current model is torch.Size([12, 4]).");
    assertThat(finding.decisive().line()).isEqualTo(4);
    assertThat(finding.evidence()).extracting(Evidence::line).doesNotContain(2L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "jinja2.exceptions.TemplateError: roles must alternate",
        "somelib2.errors.Failure: nobody knows it",
        "Traceback (most recent call last):"
      })
  void anExceptionThatNobodyCaughtIsAtLeastFound(String line) {
    assertThat(
            best("Traceback (most recent call last):", "  File \"a.py\", line 3, in f", line)
                .role())
        .isNotEqualTo(dev.duoka.diagnosis.rule.Role.ROOT);
  }

  @Test
  void mpiNamesRankAndHostOfTheKilledProcess() {
    Finding finding =
        best(
            "mpirun noticed that process rank 6 with PID 0 on node n4 exited on signal 9"
                + " (Killed).");
    assertThat(finding.rootCause()).isEqualTo("sigkill_probable_host_oom");
    assertThat(finding.rank()).hasValue(6);
    assertThat(finding.host()).hasValue("n4");
  }

  @Test
  void aBareAssertionTellsItsCondition() {
    Finding finding =
        best(
            "  File \"/app/arguments.py\", line 411, in validate",
            "    assert args.heads % args.tensor_parallel == 0",
            "AssertionError");
    assertThat(finding.what()).contains("args.heads % args.tensor_parallel == 0");
  }

  @Test
  void aFileSystemBehindADeviceMapperFails() {
    Finding finding =
        best(
            "Oct  2 03:11:00 n1 kernel: XFS (dm-7): Metadata I/O Error (0x1) detected at"
                + " xfs_buf_ioend. Shutting down filesystem.");
    assertThat(finding.rootCause()).isEqualTo("disk_io_error");
  }

  @Test
  void theWorldIsKnownFromOtherLines() {
    Finding finding =
        best(
            "n1:10:20 [0] NCCL INFO comm 0x1 rank 0 nranks 4 cudaDev 0 busId 1000 - Init COMPLETE",
            timeOut(0, 90, "ALLREDUCE", 64),
            timeOut(1, 90, "ALLREDUCE", 64));
    assertThat(finding.what()).contains("ranks 2, 3");
  }

  @Test
  void manyRanksInterleavedStillNameTheFirst() {
    StringBuilder log = new StringBuilder();
    for (int rank = 0; rank < 16; rank++) {
      log.append("[rank").append(rank).append("]: Traceback (most recent call last):\n");
    }
    log.append("[rank11]: RuntimeError: CUDA error: uncorrectable ECC error encountered\n");
    for (int rank = 0; rank < 16; rank++) {
      log.append(timeOut(rank, 812, "ALLREDUCE", 4096)).append('\n');
    }
    Finding finding = Logs.diagnose(log.toString()).findings().getFirst();
    assertThat(finding.rootCause()).isEqualTo("gpu_ecc_uncorrectable");
    assertThat(finding.rank()).hasValue(11);
  }

  @Test
  void theKernelLogOfTheHostDecidesOverTheTrainingLog() {
    LogSource training =
        Logs.source(
            "train.log",
            "[rank2]: RuntimeError: CUDA error: unspecified launch failure\n"
                + timeOut(0, 55, "ALLREDUCE", 1)
                + "\n");
    LogSource kernel =
        Logs.source(
            "dmesg.txt",
            """
            Nov 20 10:11:12 gpu17 kernel: [81.1] NVRM: Xid (PCI:0000:4f:00): 79, pid=911, name=python, GPU has fallen off the bus.
            Nov 20 10:11:13 gpu17 kernel: [82.1] NVRM: Xid (PCI:0000:4f:00): 45, pid=911, name=python, Ch 00000008
            """);
    Finding finding = Diagnosis.of(List.of(training, kernel)).findings().getFirst();
    assertThat(finding.rootCause()).isEqualTo("xid79_gpu_fell_off_bus");
    assertThat(finding.host()).hasValue("gpu17");
    assertThat(finding.decisive().file()).isEqualTo("dmesg.txt");
    assertThat(finding.decisive().line()).isEqualTo(1);
    assertThat(finding.consequences())
        .extracting(Evidence::rule)
        .contains("xid45_preemptive_cleanup");
  }

  @Test
  void killedByTheKernelIsCertainAndKilledAloneIsNot() {
    String exit =
        "E0511 08:12:44.102000 23117 torch/distributed/elastic/multiprocessing/api.py:874] failed"
            + " (exitcode: -9) local_rank: 2 (pid: 23190) of binary: /usr/bin/python3";
    assertThat(best(exit).rootCause()).isEqualTo("sigkill_probable_host_oom");
    assertThat(best(exit).confidence()).isLessThan(0.7);
    Finding confirmed =
        best(
            exit,
            "[99.1] Out of memory: Killed process 23190 (python3) total-vm:401223444kB,"
                + " anon-rss:255918222kB");
    assertThat(confirmed.rootCause()).isEqualTo("host_oom_kill");
    assertThat(confirmed.confidence()).isGreaterThan(0.85);
  }

  @Test
  void aTimeLimitExplainsKilledTasks() {
    Finding finding =
        best(
            "slurmstepd: error: *** STEP 19.0 ON n4 CANCELLED AT 2025-05-27T21:42:11 DUE TO TIME"
                + " LIMIT ***",
            "srun: error: n4: tasks 0-3: Killed",
            "Main process received SIGTERM, exiting");
    assertThat(finding.rootCause()).isEqualTo("slurm_time_limit");
    assertThat(finding.host()).hasValue("n4");
  }

  @Test
  void whatALauncherSaysAloneIsCalledUnknown() {
    Finding finding = best("srun: error: n12: task 3: Exited with exit code 1");
    assertThat(finding.role()).isEqualTo(dev.duoka.diagnosis.rule.Role.MESSENGER);
    assertThat(finding.rank()).hasValue(3);
    assertThat(finding.fix().toLowerCase(Locale.ROOT)).contains("rank 3");
  }

  @Test
  void rankFromTheNameOfTheFile() {
    LogSource log =
        Logs.source(
            "logs/attempt_0/5/stderr.log",
            "RuntimeError: CUDA error: device-side assert triggered\n");
    assertThat(Diagnosis.of(List.of(log)).findings().getFirst().rank()).hasValue(5);
  }

  @Test
  void jsonHasTheDocumentedFields() {
    Diagnosis diagnosis = Logs.diagnose("RuntimeError: CUDA error: invalid device ordinal\n");
    assertThat(DiagnosisJson.of(diagnosis).path("findings").get(0).propertyNames())
        .contains(
            "root_cause",
            "component",
            "confidence",
            "certainty",
            "what",
            "evidence_line",
            "line_number",
            "file",
            "rank",
            "local_rank",
            "ranks",
            "host",
            "why",
            "remedy",
            "evidence",
            "consequences",
            "sources");
  }
}
