package dev.duoka.diagnosis.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Variants of kinds of messages, and lines like them that mean nothing. */
final class KindsOfMessagesTests {
  private static final String HOSTFILE =
      "[2024-01-02 08:31:05,681] [WARNING] [runner.py:215:fetch_hostfile] Unable to find hostfile,"
          + " will proceed with training with local resources only.\n";
  private static final String SET_UP =
      "n1:11:20 [0] NCCL INFO comm 0x55 rank 0 nranks 2 cudaDev 0 busId 9b000 - Init COMPLETE\n";

  static Stream<Arguments> causes() {
    return Stream.of(
        // What launchers say behind a harmless warning.
        Arguments.of(HOSTFILE + exit(-7), "bus_error"),
        Arguments.of(HOSTFILE + exit(-11), "segmentation_fault"),
        Arguments.of(HOSTFILE + exit(-9), "sigkill_probable_host_oom"),
        Arguments.of(HOSTFILE + exit(3), "exit_status_nonzero"),
        Arguments.of("FileNotFoundError: Unable to find '/data/train.jsonl'", "dataset_missing"),
        // Numbers in the old form of the message.
        Arguments.of(
            oom("2.00 GiB", 1, "39.59 GiB", "37.1 GiB", "1.2 GiB", "37.4 GiB"), "cuda_oom"),
        Arguments.of(
            oom("64.00 MiB", 0, "15.78 GiB", "1.50 GiB", "12.00 MiB", "1.61 GiB"),
            "gpu_memory_held_by_others"),
        Arguments.of(
            "[rank2]: " + oom("64.00 MiB", 0, "79.35 GiB", "18.5 GiB", "8.00 MiB", "18.6 GiB"),
            "several_ranks_on_one_gpu"),
        Arguments.of(
            "[rank11]: " + oom("64.00 MiB", 3, "79.35 GiB", "18.5 GiB", "8.00 MiB", "18.6 GiB"),
            "gpu_memory_held_by_others"),
        Arguments.of(
            oom("3.00 GiB", 0, "79.35 GiB", "51.0 GiB", "120.00 MiB", "78.6 GiB"),
            "cuda_oom_fragmentation_by_reserve"),
        // A process that uses a tenth of a full card.
        Arguments.of(
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 128.00 MiB. GPU 3 has a"
                + " total capacity of 79.15 GiB of which 90.00 MiB is free. Process 71 has 71.00"
                + " GiB memory in use. Process 72 has 8.00 GiB memory in use. Of the allocated"
                + " memory 7.40 GiB is allocated by PyTorch, and 30.00 MiB is reserved by PyTorch"
                + " but unallocated.",
            "gpu_memory_held_by_others"),
        // One rule, one fault.
        Arguments.of(
            "NCCL WARN Cuda failure 220 'uncorrectable NVLink error detected during the execution'",
            "nvlink_uncorrectable_error"),
        Arguments.of("OSError: [Errno 107] Transport endpoint is not connected", "connection_lost"),
        Arguments.of(
            "OSError: [Errno 107] Transport endpoint is not connected: '/mnt/blob/run'",
            "network_file_system_down"),
        Arguments.of(
            "ls: cannot access '/mnt/blob': Transport endpoint is not connected",
            "network_file_system_down"),
        Arguments.of(
            "[ 9.1] NVRM: Xid (PCI:0000:dc:00): 45, pid=9, name=python3, Ch 1 caused by previous"
                + " Xid 48",
            "xid48_double_bit_ecc"),
        Arguments.of(
            "[rank0]: RuntimeError: Detected mismatch between collectives on ranks. Rank 3 is"
                + " running collective: CollectiveFingerPrint(SequenceNumber=7, OpType=ALLREDUCE),"
                + " but Rank 0 is running collective: CollectiveFingerPrint(SequenceNumber=7,"
                + " OpType=BARRIER).",
            "collective_mismatch"),
        Arguments.of(
            "RuntimeError: Rank 2 successfully reached monitoredBarrier, but received errors while"
                + " waiting for send/recv from rank 5. Please check rank 5 logs for faulty rank.",
            "monitored_barrier_rank_missing"),
        // Messages of the kernel over several lines.
        Arguments.of(
            """
            [  7.1] NVRM: The NVIDIA GPU 0000:01:00.0 (PCI ID: 10de:2b85)
            [  7.1] usb 1-2: new high-speed USB device
            [  7.1] NVRM: installed in this system is not supported by the
            [  7.1] NVRM: NVIDIA 550.54.15 driver release.
            """,
            "rm_init_failed"),
        Arguments.of(
            """
            Jan  3 10:00:01 g7 kernel: NVRM: GPU at PCI:0000:17:00: GPU-1
            Jan  3 10:00:01 g7 kernel: NVRM: GPU 0000:17:00.0 has
            Jan  3 10:00:01 g7 kernel: NVRM: fallen off the bus.
            """,
            "gpu_fallen_off_the_bus"),
        // Evictions, each with its own resource.
        Arguments.of(
            "Warning  Evicted  9s  kubelet  Pod ephemeral local storage usage exceeds the total"
                + " limit of containers 5Gi.",
            "pod_evicted_ephemeral_storage"),
        Arguments.of(
            "Warning  Evicted  9s  kubelet  Usage of EmptyDir volume \"scratch\" exceeds the limit"
                + " \"50Gi\".",
            "pod_evicted_ephemeral_storage"),
        Arguments.of(
            "Warning  Evicted  9s  kubelet  Usage of EmptyDir volume \"dev-shm\" exceeds the limit"
                + " \"2Gi\".",
            "pod_evicted_memory_volume"),
        Arguments.of(
            "Warning  Evicted  9s  kubelet  The node was low on resource: ephemeral-storage.",
            "pod_evicted_node_disk"),
        Arguments.of(
            "Message: The node was low on resource: memory. Threshold quantity: 100Mi.",
            "pod_evicted_low_memory"),
        Arguments.of(
            "Warning  FailedScheduling  3s  default-scheduler  0/2 nodes are available: 2"
                + " Insufficient nvidia.com/gpu.",
            "kubernetes_not_scheduled"),
        // NCCL's paths.
        Arguments.of(
            """
            n1:1:2 [0] NCCL INFO NCCL_TOPO_FILE set by environment to /etc/a.xml
            ncclInternalError: Internal check failed.
            Last error:
            Failed to find reverse path from remNode 0/5f000 nlinks 4 to node 0/cb000
            """,
            "nccl_topology_of_other_machine"),
        Arguments.of(
            "n1:1:2 [0] transport.cc:27 NCCL WARN No transport found for rank 1[1000] -> rank 0[0]",
            "nccl_transport_hidden_by_setting"),
        // Near rules with their own advice.
        Arguments.of(
            "NotImplementedError: \"_amp_foreach_non_finite_check_and_unscale_cuda\" not"
                + " implemented for 'BFloat16'",
            "fp16_weights_under_scaler"),
        Arguments.of(
            "RuntimeError: torch._scaled_mm is only supported on CUDA devices with compute"
                + " capability >= 9.0 or 8.9, or ROCm MI300+",
            "fp8_needs_newer_card"),
        Arguments.of(
            "ValueError: FP8 quantized models is only supported on GPUs with compute capability >="
                + " 8.9 (e.g 4090/H100), actual = `8.0`",
            "fp8_needs_newer_card"),
        Arguments.of(
            "AttributeError: 'DynamicCache' object has no attribute 'get_usable_length'",
            "remote_code_older_than_transformers"),
        Arguments.of(
            "AttributeError: 'tuple' object has no attribute 'get_usable_length'",
            "remote_code_older_than_transformers"),
        Arguments.of("_pickle.UnpicklingError: invalid load key, 'v'.", "git_lfs_pointer"),
        Arguments.of(
            "safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge",
            "git_lfs_pointer"),
        Arguments.of("_pickle.UnpicklingError: invalid load key, '\\x0a'.", "checkpoint_damaged"),
        Arguments.of(
            "RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 803: system has"
                + " unsupported display driver / cuda driver combination",
            "cuda_error_803"),
        Arguments.of(
            "FileExistsError: [Errno 17] File exists: '/home/u/.triton/cache/a1/x.ptx.tmp.pid_1_2'",
            "triton_cache_race"));
  }

  @ParameterizedTest
  @MethodSource("causes")
  void theCauseIsNamed(String log, String cause) {
    List<Finding> findings = Logs.diagnose(log + "\n").findings();
    assertThat(findings).as(log).isNotEmpty();
    assertThat(findings.getFirst().rootCause()).as(log).isEqualTo(cause);
    assertThat(findings.getFirst().what()).as(log).doesNotContain("(?)").doesNotContain("GPU ?");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        HOSTFILE,
        "google.api_core.exceptions: 429 Quota exceeded for quota metric, retrying in 3 s",
        "  DiskPressure     False   Tue, 03 Nov 2026   KubeletHasNoDiskPressure   no disk pressure",
        "E0101 kubelet: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
        "bin /opt/lib/python3.10/site-packages/bitsandbytes/libbitsandbytes_cuda121.so",
        "[rank0]:[I ProcessGroupNCCL.cpp:900] HeartbeatMonitor environments: HEARTBEAT_SEC: 480",
        "faulthandler enabled for SIGSEGV, SIGFPE, SIGABRT, SIGBUS, SIGILL",
        "avahi-daemon: failed to join multicast group on interface eth0",
        "No CUDA runtime is found, using CUDA_HOME='/usr/local/cuda'",
        "/usr/bin/ld: cannot find -lcufile: No such file\n"
            + "collect2: error: ld returned 1 exit status",
        "flash-attn is not installed, using the eager implementation instead",
        "xformers could not be imported, falling back on torch attention",
        "torchao: fp8 kernels are only supported on GPUs with compute capability 8.9, fallback"
            + " used",
        "INFO cache: Evicted 512 blocks from the key-value cache",
        "n1:1:2 [0] NCCL INFO NCCL_TOPO_FILE set by environment to /etc/a.xml",
        "n1:1:2 [0] NCCL INFO NCCL_P2P_DISABLE set by environment to 1",
        SET_UP,
        "| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4 |",
        "INFO: checkpoint of world size 8 is loaded by world size 8"
      })
  void mereWordsAreNoFailure(String log) {
    assertThat(Logs.diagnose(log + "\n").findings()).as(log).isEmpty();
  }

  @Test
  void theRankThatALineNamesIsThatOfTheFinding() {
    Finding finding =
        Logs.diagnose(
                "[rank0]: RuntimeError: Detected mismatch between collectives on ranks. Rank 3 is"
                    + " running collective: X, but Rank 0 is running collective: Y.\n")
            .findings()
            .getFirst();
    assertThat(finding.rank()).hasValue(3);
  }

  static Stream<Arguments> onceTold() {
    String lost =
        """
        [ 5214.331900] NVRM: The NVIDIA GPU 0000:3b:00.0
                       NVRM: (PCI ID: 10de:20b2) installed in this system has
                       NVRM: fallen off the bus and is not responding to commands.
        """;
    String xid =
        "[ 5214.331907] NVRM: Xid (PCI:0000:3b:00): 79, pid=48, name=python3, GPU has fallen off"
            + " the bus.\n";
    String again = "[ 5214.331909] NVRM: GPU 0000:3b:00.0: GPU has fallen off the bus.\n";
    String traceback = "Traceback (most recent call last):\n  File \"t.py\", line 3, in f\n";
    return Stream.of(
        Arguments.of(lost + xid, "xid79_gpu_fell_off_bus"),
        Arguments.of(xid + again, "xid79_gpu_fell_off_bus"),
        Arguments.of(
            xid + lost + again + "Unable to determine the device handle for GPU 3: GPU is lost.\n",
            "xid79_gpu_fell_off_bus"),
        Arguments.of(lost + again, "gpu_fallen_off_the_bus"),
        Arguments.of(
            traceback + "OSError: [Errno 107] Transport endpoint is not connected\n",
            "connection_lost"),
        Arguments.of(
            traceback + "OSError: 107 Transport endpoint is not connected\n", "connection_lost"),
        Arguments.of(
            traceback + "ConnectionResetError: [Errno 104] Connection reset by peer\n",
            "connection_lost"),
        Arguments.of(traceback + "BrokenPipeError: [Errno 32] Broken pipe\n", "connection_lost"),
        Arguments.of(
            (traceback
                    + "RuntimeError: [gloo/transport/tcp/pair.cc:534] Connection closed by peer\n")
                .replaceAll("(?m)^", "[rank1]: "),
            "connection_lost"));
  }

  @ParameterizedTest
  @MethodSource("onceTold")
  void oneCauseIsOneFinding(String log, String cause) {
    assertThat(Logs.diagnose(log).findings())
        .as(log)
        .extracting(Finding::rootCause)
        .containsExactly(cause);
  }

  /** A traceback that is cut off, on another rank, is not what the lost connection ended. */
  @Test
  void theTracebackOfAnotherRankIsAFindingOfItsOwn() {
    String log =
        """
        [rank3]: Traceback (most recent call last):
        [rank3]:   File "t.py", line 3, in f
        [rank0]: RuntimeError: [pair.cc:534] Connection closed by peer [10.0.0.4]:20411
        """;
    assertThat(Logs.diagnose(log).findings())
        .extracting(Finding::rootCause)
        .containsExactlyInAnyOrder("connection_lost", "unknown_traceback");
  }

  static Stream<Arguments> scales() {
    return Stream.of(
        Arguments.of(
            "[deepspeed] OVERFLOW! Rank 0 Skipping step. Attempted loss scale: %s,"
                + " reducing to %s"),
        Arguments.of(
            "Gradient overflow.  Skipping step, loss scaler 0 reducing loss scale to %2$s"),
        Arguments.of("NOTE: gradient overflow detected, setting loss scale to: %2$s"));
  }

  @ParameterizedTest
  @MethodSource("scales")
  void aScaleThatFallsBelowEverySearchCollapses(String form) {
    assertThat(overflows(form, 64, 32, 16, 8, 4).getFirst().rootCause())
        .isEqualTo("loss_scale_collapse");
    assertThat(overflows(form, 65536, 32768, 16384, 8192, 4096)).isEmpty();
    assertThat(overflows(form, 64, 32)).isEmpty();
  }

  @Test
  void theRankWhoseScaleFallsIsThatOfTheFinding() {
    String form =
        "[deepspeed] OVERFLOW! Rank %s Skipping step. Attempted loss scale: %%s, reducing to %%s";
    assertThat(overflows(form.formatted(5), 64, 32, 16, 8, 4).getFirst().rank()).hasValue(5);
    assertThat(overflows("[rank2]: " + form.formatted(2), 64, 32, 16, 8, 4).getFirst().rank())
        .hasValue(2);
    assertThat(
            overflows(
                    "Gradient overflow. Skipping step, reducing loss scale to %2$s",
                    64, 32, 16, 8, 4)
                .getFirst()
                .rank())
        .isEmpty();
  }

  /** Ranks that fall together are one collapse; a scale of each of two is none that falls. */
  @Test
  void theScalesOfEachRankAreReadApart() {
    StringBuilder together = new StringBuilder();
    for (int scale : new int[] {64, 32, 16, 8}) {
      for (int rank = 0; rank < 2; rank++) {
        together
            .append("OVERFLOW! Rank " + rank + " Skipping step. Attempted loss scale: " + scale)
            .append(", reducing to " + scale / 2 + "\n");
      }
    }
    assertThat(Logs.diagnose(together.toString()).findings())
        .extracting(Finding::rootCause)
        .containsExactly("loss_scale_collapse");
  }

  private static List<Finding> overflows(String form, int... scales) {
    StringBuilder log = new StringBuilder();
    for (int i = 1; i < scales.length; i++) {
      log.append(String.format(form, scales[i - 1], scales[i] + ".0")).append('\n');
    }
    return Logs.diagnose(log.toString()).findings();
  }

  @ParameterizedTest
  @ValueSource(ints = {72, 80, 100, 120, 132})
  void hardWrappedLinesAreRead(int width) {
    String line =
        "[rank1]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 1 has"
            + " a total capacity of 79.11 GiB of which 1.06 GiB is free. Including non-PyTorch"
            + " memory, this process has 78.04 GiB memory in use. Of the allocated memory 74.93 GiB"
            + " is allocated by PyTorch, and 1.34 GiB is reserved by PyTorch but unallocated.";
    String log = "loading shards\n" + wrapped(line, width) + "\nend of the log\n";
    Finding finding = Logs.diagnose(log).findings().getFirst();
    assertThat(finding.rootCause()).isEqualTo("cuda_oom");
    assertThat(finding.what()).contains("79.11 GiB", "2.50 GiB");
    assertThat(finding.decisive().line()).isEqualTo(2);
    assertThat(finding.rank()).hasValue(1);
  }

  static Stream<String> messagesWithNumbers() {
    return Stream.of(
        oom("86.00 MiB", 0, "23.69 GiB", "23.01 GiB", "25.50 MiB", "23.02 GiB"),
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 86.00 MiB. GPU 0 has a total"
            + " capacity of 23.69 GiB of which 25.50 MiB is free. Including non-PyTorch memory,"
            + " this process has 23.66 GiB memory in use. Of the allocated memory 23.01 GiB is"
            + " allocated by PyTorch, and 8.00 MiB is reserved by PyTorch but unallocated.");
  }

  /** At every blank: the break takes the blank's place, or stands before or behind it. */
  @ParameterizedTest
  @MethodSource("messagesWithNumbers")
  void aMessageBrokenAnywhereKeepsItsNumbers(String message) {
    String whole = Logs.diagnose(message + "\n").findings().getFirst().what();
    assertThat(whole).contains("23.69 GiB", "86.00 MiB", "25.50 MiB");
    for (int at = message.indexOf(' '); at >= 0; at = message.indexOf(' ', at + 1)) {
      String before = message.substring(0, at);
      String after = message.substring(at + 1);
      for (String gap : List.of("\n", " \n", "\n ", "\r\n")) {
        String log = before + gap + after + "\n";
        List<Finding> findings = Logs.diagnose(log).findings();
        assertThat(findings).as(log).hasSize(1);
        assertThat(findings.getFirst().what()).as(log).isEqualTo(whole);
      }
    }
  }

  /** As an editor breaks lines: between words, at most so wide. */
  @ParameterizedTest
  @MethodSource("messagesWithNumbers")
  void aMessageBrokenBetweenWordsKeepsItsNumbers(String message) {
    String whole = Logs.diagnose(message + "\n").findings().getFirst().what();
    for (int width = 60; width <= 140; width++) {
      String log = "loading the shards of the model\n" + filled(message, width) + "\n";
      List<Finding> findings = Logs.diagnose(log).findings();
      assertThat(findings).as(log).hasSize(1);
      assertThat(findings.getFirst().what()).as(log).isEqualTo(whole);
    }
  }

  private static String filled(String message, int width) {
    StringBuilder log = new StringBuilder();
    int column = 0;
    for (String word : message.split(" ")) {
      boolean fits = column + 1 + word.length() <= width;
      log.append(column == 0 ? "" : fits ? " " : "\n").append(word);
      column = column > 0 && fits ? column + 1 + word.length() : word.length();
    }
    return log.toString();
  }

  private static String wrapped(String line, int width) {
    StringBuilder log = new StringBuilder();
    for (int i = 0; i < line.length(); i += width) {
      log.append(i == 0 ? "" : "\n").append(line, i, Math.min(line.length(), i + width));
    }
    return log.toString();
  }

  @Test
  void linesOfOneWidthStayApart() {
    StringBuilder log = new StringBuilder();
    for (int i = 100; i < 140; i++) {
      log.append("step " + i + " loss 2." + i + " and some words that fill the line to a width\n");
    }
    Diagnosis diagnosis = Logs.diagnose(log + "RuntimeError: CUDA error: invalid device ordinal\n");
    assertThat(diagnosis.findings().getFirst().decisive().line()).isEqualTo(41);
    assertThat(diagnosis.lines()).isEqualTo(41);
  }

  @Test
  void aQuietLogIsAHangWhereTimePassed() {
    String log =
        "2026-11-02T08:00:00.0Z stderr F " + SET_UP + "2026-11-02T08:%s:00.0Z stderr F waiting\n";
    assertThat(Logs.diagnose(String.format(log, "41")).findings().getFirst().rootCause())
        .isEqualTo("hang_after_setup");
    assertThat(Logs.diagnose(String.format(log, "01")).findings()).isEmpty();
  }

  @Test
  void aRunThatPrintsOnIsNoHangWhenItIsInterrupted() {
    String traceback =
        "Traceback (most recent call last):\n  File \"t.py\", line 3, in step\nKeyboardInterrupt\n";
    assertThat(Logs.diagnose(SET_UP + traceback).findings().getFirst().rootCause())
        .isEqualTo("hang_after_setup");
    String lines = "  3%|3    | 31/900 [00:12<05:01, 2.88it/s]\n".repeat(9);
    assertThat(Logs.diagnose(SET_UP + lines + traceback).findings().getFirst().rootCause())
        .isEqualTo("interrupted_by_user");
  }

  @Test
  void zerosAndOneEndlessLineAreNoLog() {
    for (String text : List.of("\u0000".repeat(5000), "\n \n\n", "{\"a\": 1} ".repeat(3000))) {
      assertThatExceptionOfType(DuokaException.class)
          .isThrownBy(() -> Logs.diagnose(text))
          .withMessageContaining("not a log")
          .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.USAGE));
    }
    assertThat(Logs.diagnose(" 10%|#    | 1/9\r".repeat(2000)).findings()).isEmpty();
    assertThat(Logs.diagnose("\u0000".repeat(5000) + "step 1 loss 2.3\n").findings()).isEmpty();
  }

  private static String exit(int code) {
    return "[2024-01-02 08:41:05,681] [ERROR] [launch.py:325:sigkill_handler] ['python', '-u',"
        + " 'main.py', '--local_rank=3'] exits with return code = "
        + code;
  }

  private static String oom(
      String size, int gpu, String total, String allocated, String free, String reserved) {
    return String.format(
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate %s (GPU %d; %s total"
            + " capacity; %s already allocated; %s free; %s reserved in total by PyTorch)",
        size, gpu, total, allocated, free, reserved);
  }
}
