package dev.duoka.experiment.ladder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.formats.json.Json;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ladders of programs that do not train, with planted faults. */
@Timeout(120)
final class LadderTests {
  @TempDir Path folder;
  private RunConfig config;
  private final FakeMachine machine = new FakeMachine();
  private final List<String> heard = new ArrayList<>();

  @BeforeEach
  void readRunFile() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "text ".repeat(1000));
    config =
        RunFile.parse(
            "a run",
            """
            model: {preset: tiny-llama}
            data: {sources: [%s], sequence_length: 16, cache: %s}
            training: {tokens_per_step: 128, micro_batch: 1, steps: 1000}
            parallel: {data: 4}
            device: cpu
            """
                .formatted(text, folder.resolve("cache")),
            List.of());
  }

  private static LadderLimits usual(int steps) {
    return LadderLimits.ofPercent(
        steps, OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), false);
  }

  private LadderResult climb(String... faults) throws InterruptedException {
    return new Ladder(
            Path.of("run.yaml"),
            config,
            new LadderPlan(config, true, 4),
            usual(12),
            folder.resolve("ladder"),
            FakeRung.program(faults),
            Progress.NONE)
        .run(rung -> heard.add(LadderText.line(rung)), machine);
  }

  private static Fault fault(LadderResult result, int rung, Fault.Check check) {
    assertThat(result.isWhole()).isFalse();
    assertThat(result.runFileForAll()).isEmpty();
    assertThat(result.rungs()).hasSize(rung);
    Fault fault = result.fault().orElseThrow();
    assertThat(fault.check()).isEqualTo(check);
    return fault;
  }

  private static List<String> texts(Fault fault, Cause.Kind kind) {
    return fault.causes().stream().filter(cause -> cause.kind() == kind).map(Cause::text).toList();
  }

  @Test
  void aWholeMeshIsProvenRungByRung() throws Exception {
    LadderResult result = climb();
    assertThat(result.isWhole()).isTrue();
    assertThat(result.rungs()).extracting(rung -> rung.rung().ranks()).containsExactly(1, 2, 4);
    assertThat(result.rungs()).allMatch(RungResult::held);
    assertThat(result.rungs().getFirst().parity()).isEmpty();
    assertThat(result.rungs().getLast().parity().orElseThrow().roundingMeasured()).isTrue();
    RungSpeed speed = result.rungs().getLast().speed().orElseThrow();
    assertThat(speed.efficiency().orElseThrow().estimate()).isBetween(0.999, 1.001);
    assertThat(speed.ofPrediction().orElseThrow().estimate()).isBetween(0.999, 1.001);
    assertThat(machine.asked).hasSize(2);
    Path forAll = result.runFileForAll().orElseThrow();
    assertThat(RunFile.read(forAll, List.of())).isEqualTo(config);
    List<String> text = LadderText.of(result);
    assertThat(text).anyMatch(line -> line.contains(forAll.toString()));
    assertThat(text.subList(0, 5)).allMatch(line -> line.length() <= 100);
    assertThat(text.get(4)).startsWith(" 3 data 4 ").endsWith(" holds").contains(" / ");
    assertThat(heard).hasSize(3);
    Path written = result.folder();
    assertThat(Json.parse(written.resolve("ladder.json"), ErrorCode.FORMAT))
        .isEqualTo(
            Json.parse(
                Json.line(LadderJson.of(result)).getBytes(StandardCharsets.UTF_8),
                "it",
                ErrorCode.FORMAT));
    assertThat(written.resolve("ladder.svg"))
        .content()
        .startsWith("<svg")
        .contains("data 4", "efficiency 100 %");
  }

  /** Exchanges are right when they are looked at; the sum of gradients is not. */
  @Test
  void aWrongSumOfGradientsStopsAtItsRung() throws Exception {
    Fault fault = fault(climb(FakeRung.WRONG_SUM + "=4"), 3, Fault.Check.PARITY);
    assertThat(fault.reason()).contains("step 1 on data 4", "gradient norm of 0.25");
    assertThat(texts(fault, Cause.Kind.AXIS))
        .singleElement()
        .asString()
        .contains("what has grown is data", "the backward pass or the sum of gradients");
    assertThat(heard.getLast()).contains("FAILS by its parity");
  }

  @Test
  void aCollectiveThatIsWrongIsNamed() throws Exception {
    machine.wrong = Optional.of("rank 1 has 3 instead of 4");
    machine.wrongLikeness = Optional.of("parallel.data=2");
    Fault fault = fault(climb(FakeRung.WRONG_SUM + "=2"), 2, Fault.Check.PARITY);
    assertThat(texts(fault, Cause.Kind.COLLECTIVE))
        .anyMatch(text -> text.contains("all-reduce by nccl") && text.contains("cuda:0, cuda:1"))
        .anyMatch(
            text ->
                text.contains("gradient of model.norm.weight")
                    && text.contains("all-reduce along data by nccl")
                    && !text.contains("along tensor"));
  }

  /** What losses and norms do not show, a likeness does, tensor by tensor. */
  @Test
  void aMeshWhoseLikenessDiffersStopsThere() throws Exception {
    machine.wrongLikeness = Optional.of("parallel.data=4");
    Fault fault = fault(climb(), 3, Fault.Check.PARITY);
    assertThat(fault.reason()).contains("a small likeness").contains("data 4");
    assertThat(texts(fault, Cause.Kind.COLLECTIVE)).isNotEmpty();
  }

  @Test
  void aBusyCardStopsAtTheFirstRungThatUsesIt() throws Exception {
    machine.busy = Optional.of(1);
    Fault fault = fault(climb(), 2, Fault.Check.CARDS);
    assertThat(texts(fault, Cause.Kind.CARD))
        .singleElement()
        .asString()
        .contains("GPU 1", "97 %", "process 4711");
  }

  @Test
  void aSlowLinkStopsWithTheSettingThatMakesItSlow() throws Exception {
    machine.bus = 21;
    machine.findings =
        new MachineFindings(
            List.of(
                new MachineFindings.Finding(
                    "nccl-variables",
                    "NCCL_P2P_DISABLE=1",
                    "GPUs exchange through the host",
                    "unset NCCL_P2P_DISABLE"),
                new MachineFindings.Finding("xid", "Xid 13", "", "")),
            List.of(
                new MachineFindings.Copy("cuda:0 to cuda:1", true, true, 380),
                new MachineFindings.Copy("cuda:1 to cuda:0", false, true, 20)));
    Fault fault = fault(climb(), 2, Fault.Check.LINKS);
    assertThat(fault.reason())
        .contains("all-reduce by nccl", "cuda:0, cuda:1", "21.0 GB/s", "NV18", "450");
    assertThat(fault.causes().getFirst().text()).contains("NCCL_P2P_DISABLE=1");
    assertThat(fault.causes().getFirst().fix()).isEqualTo("unset NCCL_P2P_DISABLE");
    assertThat(texts(fault, Cause.Kind.LINK))
        .singleElement()
        .asString()
        .contains("cuda:1 to cuda:0", "by way of the host");
    assertThat(fault.causes()).noneMatch(cause -> cause.text().contains("Xid"));
  }

  @Test
  void anExchangeWithAWrongResultIsNoSpeed() throws Exception {
    machine.wrong = Optional.of("rank 1 has 3 instead of 4");
    Fault fault = fault(climb(), 2, Fault.Check.LINKS);
    assertThat(fault.reason()).isEqualTo("all-reduce by nccl gives a wrong result");
  }

  @Test
  void slowStepsStopWithWhereTheirTimeGoes() throws Exception {
    Fault fault = fault(climb(FakeRung.SLOW + "=4"), 3, Fault.Check.SPEED);
    assertThat(fault.reason()).contains("50.0 %");
    assertThat(texts(fault, Cause.Kind.TIME))
        .singleElement()
        .asString()
        .contains("exchange along data");
  }

  @Test
  void memoryThatWasNotPredictedStops() throws Exception {
    Fault fault = fault(climb(FakeRung.LARGE + "=2"), 2, Fault.Check.MEMORY);
    assertThat(texts(fault, Cause.Kind.MEMORY)).anyMatch(text -> text.contains("rank 1 holds"));
  }

  /** It is no fault, but nobody may think that it was checked. */
  @Test
  void whatWasNotPredictedIsSaid() throws Exception {
    LadderResult result = climb(FakeRung.UNPREDICTED + "=4");
    assertThat(result.isWhole()).isTrue();
    assertThat(result.rungs().get(1).notes()).isEmpty();
    assertThat(result.rungs().getLast().notes())
        .containsExactly(
            "nothing was predicted: neither memory nor speed was checked against that");
    assertThat(LadderText.of(result)).anyMatch(line -> line.contains("nothing was predicted"));
  }

  /** One rank does not hold the model: parity is a likeness's on two, and speed begins there. */
  @Test
  void speedBeginsAtTheFirstRungThatHoldsTheModel() throws Exception {
    LadderResult result = climb(FakeRung.TOO_FEW + "=2");
    assertThat(result.isWhole()).isTrue();
    assertThat(result.rungs().getFirst().held()).isFalse();
    assertThat(result.rungs().getFirst().notes())
        .singleElement()
        .asString()
        .contains("a card lacks 3 GiB");
    assertThat(result.rungs().get(1).parity()).isEmpty();
    assertThat(result.rungs().get(1).likeness().orElseThrow().holds()).isTrue();
    assertThat(result.rungs().get(1).speed().orElseThrow().efficiency()).isEmpty();
    assertThat(result.rungs().get(2).parity()).isPresent();
    assertThat(result.rungs().get(2).speed().orElseThrow().efficiency()).isPresent();
  }

  @Test
  void aMeshThatDoesNotHoldTheModelIsAFault() throws Exception {
    Fault fault = fault(climb(FakeRung.TOO_FEW + "=8"), 3, Fault.Check.MEMORY);
    assertThat(texts(fault, Cause.Kind.MEMORY)).singleElement().asString().contains("3 GiB");
    assertThat(machine.asked).as("the likeness on two and on four ranks").hasSize(2);
  }

  /** {@code --out .} beside the user's own run file. */
  @Test
  void aRunFileInTheFolderIsNotWrittenOver() throws Exception {
    Path own =
        Files.writeString(
            Files.createDirectories(folder.resolve("ladder")).resolve("run.yaml"), "mine");
    assertThatThrownBy(this::climb)
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(own + " is there already");
    assertThat(own).hasContent("mine");
  }

  @Test
  void limitsThatNothingCanReachAreRefused() {
    assertThatThrownBy(() -> usual(8))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("Nearest valid: 12");
    assertThatThrownBy(() -> new LadderLimits(24, 1.8, 0.5, 0.25))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("--least-speed is 180 %");
  }
}
