package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.operations.run.RunProgress;
import dev.duoka.operations.run.RunRecord;
import dev.duoka.operations.run.SupervisionFolder;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A job of two nodes under Slurm itself: two daemons on this machine, without munge and cgroups. In
 * place of a container the program runs as it is here.
 */
@Tag("slurm")
@Timeout(600)
final class SlurmTests {
  private static final long WAIT_NANOS = 150_000_000_000L;
  private static final int SHOWN_CHARACTERS = 3000;
  private static final Pattern SHOWN = Pattern.compile("(/daemons|/errors|[.]log|events[.]jsonl)$");

  @TempDir Path folder;
  private final List<Process> daemons = new ArrayList<>();
  private Path runs;
  private Path bin;

  @BeforeEach
  void startSlurm() throws Exception {
    runs = Files.createDirectories(folder.resolve("runs"));
    bin = Files.createDirectories(folder.resolve("bin"));
    String host = text("hostname", "-s");
    Files.writeString(
        folder.resolve("slurm.conf"),
        """
        ClusterName=test
        SlurmctldHost=%2$s(127.0.0.1)
        SlurmctldPort=%3$d
        AuthType=auth/none
        CredType=cred/none
        ProctrackType=proctrack/linuxproc
        TaskPlugin=task/none
        MpiDefault=none
        SlurmUser=root
        SlurmdUser=root
        StateSaveLocation=%1$s/state
        SlurmdSpoolDir=%1$s/spool-%%n
        SlurmctldPidFile=%1$s/slurmctld.pid
        SlurmdPidFile=%1$s/%%n.pid
        ReturnToService=2
        SchedulerType=sched/builtin
        SelectType=select/linear
        SlurmdParameters=config_overrides
        NodeName=n0 NodeHostname=%2$s NodeAddr=127.0.0.1 Port=%4$d CPUs=64
        NodeName=n1 NodeHostname=%2$s NodeAddr=127.0.0.1 Port=%5$d CPUs=64
        PartitionName=all Nodes=n0,n1 Default=YES MaxTime=INFINITE State=UP
        """
            .formatted(folder, host, freePort(), freePort(), freePort()));
    Files.createDirectories(folder.resolve("state"));
    Files.writeString(folder.resolve("hosts"), "127.0.0.1 n0 n1 localhost " + host + "\n");
    daemons.add(builder("slurmctld", "-D").start());
    daemons.add(builder("slurmd", "-D", "-N", "n0").start());
    daemons.add(builder("slurmd", "-D", "-N", "n1").start());
    until(() -> text("sinfo", "-h", "-t", "idle", "-o", "%D").equals("2"));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  @AfterEach
  void endSlurm() throws Exception {
    try {
      text("scancel", "--signal=KILL", "--user=root");
      text("scancel", "--user=root");
      until(() -> text("squeue", "-h").isEmpty());
    } finally {
      for (Process daemon : daemons) {
        daemon.destroy();
        daemon.waitFor(20, TimeUnit.SECONDS);
        daemon.destroyForcibly().waitFor();
      }
    }
  }

  private ProcessBuilder builder(String... words) {
    ProcessBuilder builder =
        new ProcessBuilder(words)
            .directory(folder.toFile())
            .redirectError(ProcessBuilder.Redirect.appendTo(folder.resolve("errors").toFile()));
    Map<String, String> environment = builder.environment();
    environment.put("PATH", bin + ":" + environment.getOrDefault("PATH", "") + ":/usr/sbin:/sbin");
    environment.put("SLURM_CONF", folder.resolve("slurm.conf").toString());
    environment.put("XDG_STATE_HOME", folder.resolve("state-home").toString());
    environment.put("IMAGE", "image");
    environment.put("RUNS", runs.toString());
    environment.put("JDK_JAVA_OPTIONS", "-Djdk.net.hosts.file=" + folder.resolve("hosts"));
    if (!words[0].startsWith("slurm")) {
      return builder;
    }
    return builder.redirectOutput(
        ProcessBuilder.Redirect.appendTo(folder.resolve("daemons").toFile()));
  }

  private String text(String... words) throws IOException, InterruptedException {
    Process process = builder(words).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    process.waitFor();
    return output;
  }

  private void until(Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + WAIT_NANOS;
    while (!condition.call()) {
      if (System.nanoTime() > end) {
        Assertions.fail(state());
      }
      Thread.sleep(200);
    }
  }

  /** What Slurm, its daemons and the job say: why it goes no further. */
  private String state() {
    StringBuilder text = new StringBuilder();
    try {
      text.append(text("sinfo", "-N", "-o", "%N %T %E")).append('\n');
      text.append(text("squeue", "-o", "%i %T %r")).append('\n');
      text.append(text("scontrol", "show", "job")).append('\n');
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path file : files.filter(it -> SHOWN.matcher(it.toString()).find()).toList()) {
          String content = Files.readString(file);
          text.append("--- ").append(file).append('\n');
          text.append(content.substring(Math.max(0, content.length() - SHOWN_CHARACTERS)));
        }
      }
    } catch (IOException e) {
      text.append(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return text.toString();
  }

  private void program(String name, String script) throws IOException {
    Path file = Files.writeString(bin.resolve(name), "#!/bin/bash\n" + script);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }

  /** Apptainer's stand-in binds nothing: of the words of the command it puts /runs right alone. */
  private void writePrograms() throws IOException {
    program(
        "apptainer",
        """
        while [ "$1" != docker://image ]; do shift; done
        shift
        words=()
        for word in "$@"; do words+=("${word/#\\/runs/$RUNS}"); done
        exec "${words[@]}"
        """);
    program(
        "duoka",
        "exec '%s' -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED -cp '%s' %s"
                .formatted(
                    Path.of(System.getProperty("java.home"), "bin", "java"),
                    String.join(
                        File.pathSeparator,
                        System.getProperty("jdk.module.path", ""),
                        System.getProperty("java.class.path", "")),
                    "dev.duoka.cli.Main")
            + " \"$@\"\n");
  }

  private Path runFile() throws IOException {
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    for (int document = 0; document < 40; document++) {
      Files.writeString(
          corpus.resolve(document + ".txt"), ("line of document " + document + "\n").repeat(40));
    }
    Path place = Files.createDirectories(folder.resolve("it's $(touch pwned)"));
    return Files.writeString(
        place.resolve("run.yaml"),
        """
        model: {preset: tiny-llama}
        data: {sources: [%s], sequence_length: 16, cache: %s}
        training: {tokens_per_step: 64, micro_batch: 2, steps: 100000}
        parallel: {data: 2}
        checkpoint: {every_steps: 0}
        validation: {every_steps: 0}
        device: cpu
        threads: 1
        """
            .formatted(corpus, folder.resolve("cache")));
  }

  private String state(String job) throws IOException, InterruptedException {
    return text("squeue", "-h", "-j", job, "-o", "%T");
  }

  /** What is left of a job would end the next start of it: its script's status comes late. */
  private static boolean isIdle() {
    return ProcessHandle.allProcesses()
        .noneMatch(process -> process.info().command().orElse("").endsWith("/slurmstepd"));
  }

  /** It trains on both nodes, saves when its time is up, waits in the queue, and goes on. */
  @Test
  void aJobOfTwoNodesIsSavedPutBackAndGoesOn() throws Exception {
    writePrograms();
    Path box = folder.resolve("box");
    ProgramRun program = new ProgramRun();
    int written =
        program.run(
            "container",
            runFile().toString(),
            "--slurm",
            "--nodes",
            "2",
            "--gpus",
            "0",
            "--driver",
            "580.95.05",
            "--out",
            box.toString());
    assertThat(written).as(program.err().toString()).isZero();
    String job = text("sbatch", "--parsable", box.resolve("train.sbatch").toString());
    Path run = runs.resolve("run");
    until(() -> RunProgress.of(run).step() > 5);
    for (int node : List.of(0, 1)) {
      assertThat(new RunRecord(new SupervisionFolder(run, node)).entries().getFirst().text())
          .isEqualTo(
              "1 worker of node %d of 2, placed by SLURM_STEP_NUM_NODES, SLURM_PROCID"
                  .formatted(node));
    }
    text("scancel", "--signal=TERM", "--batch", job); // as Slurm does before the end of the time
    until(() -> state(job).equals("PENDING"));
    until(SlurmTests::isIdle);
    long saved = RunProgress.newestCheckpoint(run).orElseThrow();
    until(
        () -> { // Slurm itself waits for two minutes
          if (state(job).isEmpty()) {
            // Not having waited, it took the late status of the first start for the second's.
            text("scontrol", "requeue", job);
          }
          text("scontrol", "update", "jobid=" + job, "StartTime=now");
          return RunProgress.of(run).step() > saved + 2;
        });
    assertThat(Files.readString(run.resolve("run.log"))).contains("resuming after step " + saved);
    assertThat(Files.readString(folder.resolve("run-" + job + ".log")))
        .contains("SIGTERM: saved")
        .doesNotContain("Exception");
    assertThat(folder.resolve("pwned")).doesNotExist();
  }
}
