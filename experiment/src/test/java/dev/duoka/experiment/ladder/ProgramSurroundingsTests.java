package dev.duoka.experiment.ladder;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Reads what commands of the program print; one that fails is said to have failed. */
@Timeout(60)
final class ProgramSurroundingsTests {
  private static final RungPlace TWO =
      new RungPlace(List.of("cuda:3", "cuda:1"), List.of(), "NV18", 450);

  @TempDir Path folder;

  private ProgramSurroundings answering(String command, String answer) throws IOException {
    Files.writeString(folder.resolve(command), answer);
    return new ProgramSurroundings(
        FakeAnswers.program(folder), Path.of("run.yaml"), folder, "nccl", Map.of());
  }

  private String words(String asked) throws IOException {
    return Files.readAllLines(folder.resolve(asked).resolve("stdout.log")).getFirst();
  }

  @Test
  void exchangesAreMeasuredWhereTheRanksAre() throws Exception {
    Exchanges found =
        answering(
                "bench",
                """
                {"exchanges":[{"transport":"nccl","collective":"all-reduce","bytes":8,"bus_gb_per_second":20.5},\
                {"transport":"nccl","collective":"all-gather","bytes":8,"bus_gb_per_second":300},\
                {"transport":"nccl","collective":"send-receive","bytes":8,"bus_gb_per_second":1},\
                {"transport":"nccl","collective":"broadcast","bytes":8,"wrong":"rank 1 has 3"}]}
                """)
            .exchanges(TWO);
    assertThat(words("asked-1-bench"))
        .endsWith(
            "bench comm --ranks 2 --device cuda:3,1 --collectives nccl --sizes 1MiB,64MiB --json");
    assertThat(found.failure()).isEmpty();
    assertThat(found.slowest().orElseThrow().bus()).isEqualTo(20.5);
    assertThat(found.wrongCollectives())
        .extracting(Exchanges.Line::collective)
        .containsExactly("broadcast");
  }

  @Test
  void whatFailsHasItsReason() throws Exception {
    ProgramSurroundings surroundings = answering("bench", "no GPU here\n");
    assertThat(surroundings.exchanges(TWO).failure().orElseThrow()).contains("exit status 1");
    Files.writeString(folder.resolve("selftest"), "");
    Likeness likeness = surroundings.likeness(List.of("parallel.data=2"));
    assertThat(likeness.holds()).isFalse();
    assertThat(likeness.work()).contains("exit status 1");
    assertThat(words("asked-2-selftest"))
        .endsWith("selftest run.yaml --json --set parallel.data=2");
  }

  @Test
  void aLikenessSaysWhatDiffersAndWhatIsExchanged() throws Exception {
    Likeness found =
        answering(
                "selftest",
                """
                {"passed":false,"work":"2 layers","comparisons":[{"precision":"fp32",\
                "differences":{"gradient of model.norm.weight":0.5,"norm of step 0":0.3}}],\
                "exchanges":[{"group":"tensor","operation":"all-gather","transport":"peer","bytes":5},\
                {"group":"world","operation":"agree","transport":"peer","bytes":5},\
                {"group":"world","operation":"split","transport":"peer","bytes":0}]}
                """)
            .likeness(List.of());
    assertThat(found)
        .isEqualTo(
            new Likeness(
                false,
                "2 layers",
                List.of("gradient of model.norm.weight", "norm of step 0"),
                List.of("all-gather along tensor by peer")));
  }

  /** Notes are no causes, but for variables; copies through the host's memory are of no pair. */
  @Test
  void theMachineIsExamined() throws Exception {
    MachineFindings found =
        answering(
                "doctor",
                """
                {"findings":[{"check":"nccl-variables","severity":"note","evidence":"NCCL_ALGO=Tree",\
                "consequence":"no effect","fix":"unset"},\
                {"check":"shm","severity":"note","evidence":"small","consequence":"","fix":""},\
                {"check":"nvlink","severity":"error","evidence":"GPU 1: 12 of 18 NVLinks are up",\
                "consequence":"slow","fix":"replace"}],\
                "copies":[{"way":"host to cuda:0 and back","direct":false,"intact":true,\
                "gigabytes_per_second":20},{"way":"cuda:0 to cuda:1","direct":true,"intact":true,\
                "gigabytes_per_second":100},{"way":"cuda:1 to cuda:0","direct":true,"intact":true,\
                "gigabytes_per_second":300},{"way":"cuda:1 to cuda:2","direct":true,"intact":false,\
                "gigabytes_per_second":300}]}
                """)
            .machine();
    assertThat(found.causes())
        .extracting(Cause::kind)
        .containsExactly(Cause.Kind.SETTING, Cause.Kind.LINK, Cause.Kind.LINK, Cause.Kind.LINK);
    assertThat(found.causes().get(2).text()).contains("cuda:0 to cuda:1 is slow", "100.0 GB/s");
    assertThat(found.causes().get(3).text()).contains("cuda:1 to cuda:2 damages");
    assertThat(new Exchanges(List.of(), Optional.of("x")).slowest()).isEmpty();
  }
}
