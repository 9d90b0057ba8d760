package dev.duoka.comm.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.SlurmHosts;
import dev.duoka.comm.launch.ProcessPlace.Launcher;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProcessPlaceTests {
  private static Map<String, String> environment(String... assignments) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("HOME", "/root");
    for (String assignment : assignments) {
      int equals = assignment.indexOf('=');
      environment.put(assignment.substring(0, equals), assignment.substring(equals + 1));
    }
    return environment;
  }

  private static ProcessPlace place(String... assignments) {
    return ProcessPlace.of(environment(assignments));
  }

  private static Optional<InetSocketAddress> at(String host, int port) {
    return Optional.of(InetSocketAddress.createUnresolved(host, port));
  }

  private static final String[] TORCHRUN = {
    "RANK=5",
    "WORLD_SIZE=8",
    "LOCAL_RANK=1",
    "LOCAL_WORLD_SIZE=4",
    "MASTER_ADDR=node0",
    "MASTER_PORT=29500"
  };

  private static final String[] SLURM = {
    "SLURM_STEP_ID=0",
    "SLURM_JOB_ID=123456",
    "SLURM_PROCID=3",
    "SLURM_NTASKS=4",
    "SLURM_LOCALID=1",
    "SLURM_JOB_NODELIST=gpu[003-004]"
  };

  private static String[] changed(String[] assignments, String... changes) {
    Map<String, String> all = environment(assignments);
    all.putAll(environment(changes));
    return all.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toArray(String[]::new);
  }

  @Test
  void aProcessWithoutSuchVariablesIsAlone() {
    assertThat(place()).isEqualTo(ProcessPlace.ALONE);
    assertThat(place("RANK=3")).as("a name that others use").isEqualTo(ProcessPlace.ALONE);
    assertThat(place("MASTER_ADDR=a", "MASTER_PORT=1")).isEqualTo(ProcessPlace.ALONE);
    assertThat(place("DUOKA_RANK=", "RANK= ")).isEqualTo(ProcessPlace.ALONE);
  }

  @Test
  void ownVariables() {
    assertThat(place("DUOKA_RANK=1", "DUOKA_WORLD_SIZE=2", "DUOKA_RENDEZVOUS=node0:29501"))
        .isEqualTo(new ProcessPlace(Launcher.DUOKA, 1, 2, OptionalInt.empty(), at("node0", 29501)));
    assertThat(
            place("DUOKA_RANK=0", "DUOKA_WORLD_SIZE=2", "DUOKA_RENDEZVOUS=[fe80::1]:7")
                .rendezvous())
        .isEqualTo(at("fe80::1", 7));
    assertThat(place("DUOKA_RANK=0", "DUOKA_WORLD_SIZE=1").isAlone()).isTrue();
  }

  @Test
  void torchrunsVariables() {
    assertThat(place(TORCHRUN))
        .isEqualTo(
            new ProcessPlace(Launcher.TORCHRUN, 5, 8, OptionalInt.of(1), at("node0", 29500)));
    assertThat(place("RANK=0", "WORLD_SIZE=1").isAlone()).isTrue();
  }

  /** Then its agent listens at the port itself. */
  @Test
  void besideTorchrunsAgentThePortIsTheNext() {
    assertThat(place(changed(TORCHRUN, "TORCHELASTIC_USE_AGENT_STORE=True")).rendezvous())
        .isEqualTo(at("node0", 29501));
    assertThat(
            place(changed(TORCHRUN, "TORCHELASTIC_USE_AGENT_STORE=True", "MASTER_PORT=65535"))
                .rendezvous())
        .isEqualTo(at("node0", 65534));
    assertThat(place(changed(TORCHRUN, "TORCHELASTIC_USE_AGENT_STORE=False")).rendezvous())
        .isEqualTo(at("node0", 29500));
  }

  @Test
  void slurmsVariables() {
    assertThat(place(SLURM))
        .isEqualTo(new ProcessPlace(Launcher.SLURM, 3, 4, OptionalInt.of(1), at("gpu003", 23456)));
    assertThat(place(changed(SLURM, "SLURM_STEP_NODELIST=gpu004")).rendezvous())
        .as("the step's first host")
        .isEqualTo(at("gpu004", 23456));
  }

  /** In a job's script the variables are the same, but nobody starts the other processes. */
  @Test
  void aJobsScriptIsNoStep() {
    assertThat(place(changed(SLURM, "SLURM_STEP_ID="))).isEqualTo(ProcessPlace.ALONE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "node7 | node7",
        "node7,node8 | node7",
        "gpu[003-017,020],login1 | gpu003",
        "gpu[5,7] | gpu5",
        "r[1-2]n[01-16] | r1n01",
        "a-b-[9]-c.example,x | a-b-9-c.example"
      })
  void theFirstHostOfASlurmList(String list, String host) {
    assertThat(SlurmHosts.first(list)).isEqualTo(host);
  }

  @Test
  void ownVariablesGoBeforeOthersThatAgreeAndTorchrunsBeforeSlurms() {
    String[] both =
        changed(TORCHRUN, "DUOKA_RANK=5", "DUOKA_WORLD_SIZE=8", "DUOKA_RENDEZVOUS=other:1");
    assertThat(place(both).rendezvous()).isEqualTo(at("other", 1));
    assertThat(place(changed(SLURM, TORCHRUN)).launcher()).isEqualTo(Launcher.TORCHRUN);
  }

  @Test
  void contradictionsAreNamed() {
    refuses("DUOKA_RANK is 2, but DUOKA_WORLD_SIZE 2", "DUOKA_RANK=2", "DUOKA_WORLD_SIZE=2");
    refuses("DUOKA_WORLD_SIZE is not set", "DUOKA_RANK=2");
    refuses("DUOKA_RANK is not set", "DUOKA_WORLD_SIZE=2");
    refuses("DUOKA_WORLD_SIZE is not set", "DUOKA_RENDEZVOUS=a:1");
    refuses("DUOKA_RENDEZVOUS is not set", "DUOKA_RANK=0", "DUOKA_WORLD_SIZE=2");
    refuses("DUOKA_WORLD_SIZE is 0", "DUOKA_RANK=0", "DUOKA_WORLD_SIZE=0");
    refuses("DUOKA_RANK is '-1'", "DUOKA_RANK=-1", "DUOKA_WORLD_SIZE=2");
    refuses("DUOKA_WORLD_SIZE is 'two'", "DUOKA_RANK=0", "DUOKA_WORLD_SIZE=two");
    for (String address : new String[] {"node0", ":29500"}) {
      refuses(
          "DUOKA_RENDEZVOUS is '" + address + "', which is not HOST:PORT",
          "DUOKA_RANK=0",
          "DUOKA_WORLD_SIZE=2",
          "DUOKA_RENDEZVOUS=" + address);
    }
    refuses(
        "DUOKA_RENDEZVOUS has '70000' for a port",
        "DUOKA_RANK=0",
        "DUOKA_WORLD_SIZE=2",
        "DUOKA_RENDEZVOUS=a:70000");
    refuses("RANK is 8, but WORLD_SIZE 8", changed(TORCHRUN, "RANK=8"));
    refuses("WORLD_SIZE is not set", changed(TORCHRUN, "WORLD_SIZE="));
    refuses("RANK is not set", changed(TORCHRUN, "RANK="));
    refuses("MASTER_ADDR is not set", changed(TORCHRUN, "MASTER_ADDR="));
    refuses("MASTER_PORT is not set", changed(TORCHRUN, "MASTER_PORT="));
    refuses("MASTER_PORT has 'x' for a port", changed(TORCHRUN, "MASTER_PORT=x"));
    refuses("LOCAL_RANK is 4, but LOCAL_WORLD_SIZE 4", changed(TORCHRUN, "LOCAL_RANK=4"));
    refuses("LOCAL_WORLD_SIZE is 9, but WORLD_SIZE 8", changed(TORCHRUN, "LOCAL_WORLD_SIZE=9"));
    refuses("SLURM_NTASKS is not set", changed(SLURM, "SLURM_NTASKS="));
    refuses("SLURM_JOB_NODELIST is not set", changed(SLURM, "SLURM_JOB_NODELIST="));
    refuses("names no host", changed(SLURM, "SLURM_JOB_NODELIST=,"));
    refuses(
        "DUOKA_RANK and DUOKA_WORLD_SIZE are 0 and 8, but RANK and WORLD_SIZE 5 and 8",
        changed(TORCHRUN, "DUOKA_RANK=0", "DUOKA_WORLD_SIZE=8", "DUOKA_RENDEZVOUS=a:1"));
  }

  private static void refuses(String problem, String... assignments) {
    assertThatThrownBy(() -> place(assignments))
        .isInstanceOfSatisfying(
            DuokaException.class,
            e -> {
              assertThat(e.code()).isEqualTo(ErrorCode.CONFIG);
              assertThat(e.remedy()).isNotEmpty();
            })
        .hasMessageContaining(problem);
  }

  /** Whatever the variables hold, the answer is a place or an error that says what is wrong. */
  @Test
  void anyEnvironmentIsReadOrRefused() {
    Random random = new Random(20);
    String[] names = {
      "DUOKA_RANK",
      "DUOKA_WORLD_SIZE",
      "DUOKA_RENDEZVOUS",
      "RANK",
      "WORLD_SIZE",
      "LOCAL_RANK",
      "LOCAL_WORLD_SIZE",
      "MASTER_ADDR",
      "MASTER_PORT",
      "SLURM_STEP_ID",
      "SLURM_PROCID",
      "SLURM_NTASKS",
      "SLURM_LOCALID",
      "SLURM_JOB_ID",
      "SLURM_JOB_NODELIST"
    };
    String[] values = {"", "0", "1", "3", "-1", "a:1", "[", "]", "a[1", "99999999999", "1.5", ":"};
    int read = 0;
    for (int i = 0; i < 20_000; i++) {
      Map<String, String> environment = environment();
      for (String name : names) {
        if (random.nextInt(3) > 0) {
          environment.put(name, values[random.nextInt(values.length)]);
        }
      }
      try {
        ProcessPlace place = ProcessPlace.of(environment);
        assertThat(place.process()).isBetween(0, place.processes() - 1);
        assertThat(place.rendezvous().isPresent()).isEqualTo(!place.isAlone());
        read++;
      } catch (DuokaException e) {
        assertThat(e.code()).isEqualTo(ErrorCode.CONFIG);
      }
    }
    assertThat(read).isPositive();
  }

  @Test
  void ranksAreSharedEqually() {
    ProcessPlace place = place(TORCHRUN);
    assertThat(place.ranks(16, OptionalInt.empty())).isEqualTo(new RankRange(10, 2, 16));
    assertThat(place.ranks(8, OptionalInt.of(1))).isEqualTo(new RankRange(5, 1, 8));
    assertThat(ProcessPlace.ALONE.ranks(4, OptionalInt.empty())).isEqualTo(RankRange.all(4));
    assertThatThrownBy(() -> place.ranks(12, OptionalInt.empty()))
        .hasMessageContaining("the run has 12 ranks, but is started as 8 processes of 1 rank each")
        .hasMessageContaining("Start a number of processes that divides 12");
    assertThatThrownBy(() -> place.ranks(4, OptionalInt.empty()))
        .hasMessageContaining("the run has 4 ranks, but is started as 8 processes");
    assertThatThrownBy(() -> place.ranks(16, OptionalInt.of(1)))
        .hasMessageContaining("8 processes of 1 rank each")
        .hasMessageContaining("Start 16 processes, or set launch.ranks_per_process to 2, or");
    assertThatThrownBy(() -> ProcessPlace.ALONE.ranks(4, OptionalInt.of(2)))
        .hasMessageContaining("the run has 4 ranks, but is started as 1 process of 2 ranks.")
        .hasMessageContaining("Start 2 processes");
  }
}
