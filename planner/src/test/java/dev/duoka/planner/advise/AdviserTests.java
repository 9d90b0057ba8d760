package dev.duoka.planner.advise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Method;
import dev.duoka.layout.Precision;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.report.AdviceJson;
import dev.duoka.planner.report.AdviceText;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

final class AdviserTests {
  private final Adviser adviser = new Adviser(Catalogue.builtIn());

  @Test
  void fasterMachinesComeFirstAndMisfitsLast() {
    Advice advice =
        advise("deepseek-llm-7b", Task.PRETRAIN, OptionalDouble.empty(), "1xRTX4090,8xH100,8xA100");
    assertThat(advice.machines())
        .extracting(machine -> machine.machine().name())
        .containsExactly("8xH100-80G-SXM", "8xA100-80G-SXM", "1xRTX-4090-24G");
    MachineAdvice first = advice.machines().getFirst();
    assertThat(first.hours()).isPositive();
    assertThat(first.rentUsd().orElseThrow()).isPositive();
    MachineAdvice last = advice.machines().getLast();
    assertThat(last.fits()).isFalse();
    assertThat(last.lacks()).contains("lacks at least");
  }

  @ParameterizedTest
  @ValueSource(strings = {"4xH100-80G", "8xH200", "2xA100-80G", "1xH200"})
  void theLayoutIsTheOneThatAPlanRuns(String machine) {
    ModelShape shape = ModelShape.of(Presets.named("deepseek-llm-7b"));
    Advice advice = advise("deepseek-llm-7b", Task.PRETRAIN, OptionalDouble.empty(), machine);
    Machine target = Catalogue.builtIn().machine(machine);
    long perStep = Job.tokensPerStep(Task.PRETRAIN.tokensPerStep(), 4096, target.gpus());
    PlanResult result =
        new Planner(Catalogue.builtIn())
            .plan(
                new PlanRequest(
                    "deepseek-llm-7b",
                    shape,
                    target,
                    new Job(4096, perStep, Job.DEFAULT_IMBALANCE),
                    Method.FULL,
                    List.of(Precision.BF16),
                    true,
                    EngineTraits.DUOKA));
    Plan best = result.best().orElseThrow();
    assertThat(best.runnable()).isTrue();
    assertThat(advice.machines().getFirst().plan().map(Plan::layout)).contains(best.layout());
    assertThat(AdviceText.of(advice)).doesNotContain("not yet: ");
  }

  @Test
  void fineTuningFallsBackToAdapters() {
    Advice advice = advise("deepseek-llm-7b", Task.FINETUNE, OptionalDouble.empty(), "1xRTX4090");
    assertThat(advice.machines().getFirst().plan().orElseThrow().layout().method().isAdapter())
        .isTrue();
  }

  @Test
  void aBudgetSeparatesWhatCanBePaidFor() {
    Advice advice =
        advise("deepseek-coder-1.3b", Task.FINETUNE, OptionalDouble.of(1), "8xH100,8xA100");
    double most =
        advice.machines().stream()
            .filter(MachineAdvice::affordable)
            .mapToDouble(machine -> machine.rentUsd().orElseThrow())
            .max()
            .orElse(0);
    assertThat(most).isLessThanOrEqualTo(1);
    Advice poor =
        advise("deepseek-coder-1.3b", Task.PRETRAIN, OptionalDouble.of(0.01), "8xH100,8xA100");
    assertThat(poor.machines()).noneMatch(MachineAdvice::affordable);
  }

  @Test
  void aBudgetToBuyIsNotOneToRent() {
    String machines = "8xH100,1xRTX4090,8xH100";
    Advice buy = finetune(Payment.BUY, machines);
    assertThat(buy.machines()).hasSize(2);
    assertThat(buy.machines().getFirst().machine().name()).isEqualTo("1xRTX-4090-24G");
    assertThat(buy.machines().getLast().affordable()).isFalse();
    assertThat(buy.machines().getLast().affordableToRent()).isTrue();
    assertThat(AdviceText.of(buy)).contains("To buy within").doesNotContain("To rent for");
    Advice rent = finetune(Payment.RENT, machines);
    assertThat(rent.machines().getFirst().machine().name()).isEqualTo("8xH100-80G-SXM");
    assertThat(AdviceText.of(finetune(Payment.EITHER, machines)))
        .contains("To buy within", "To rent for");
  }

  @Test
  void theAnswerIsAboutTheMachinesThatWereAskedFor() {
    Advice advice = advise("deepseek-llm-7b", Task.PRETRAIN, OptionalDouble.empty(), "8xH100");
    assertThat(AdviceText.of(advice)).contains("8xH100").doesNotContain("4090");
    JsonNode json = AdviceJson.of(advice);
    assertThat(json.get("machines")).hasSize(1);
    assertThat(json.get("machines").get(0).get("hours").asDouble()).isPositive();
    assertThat(json.get("prices_as_of").asString()).isNotBlank();
  }

  @Test
  void listsOfMachinesAreReadOrRefused() {
    assertThat(adviser.machines("8xH100, 4xRTX4090;")).hasSize(2);
    assertThatThrownBy(() -> adviser.machines(" , "))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("names no machine");
    assertThat(adviser.usualMachines()).hasSizeGreaterThan(40);
  }

  private Advice finetune(Payment payment, String machines) {
    return advise("deepseek-llm-7b", Task.FINETUNE, OptionalDouble.of(20_000), payment, machines);
  }

  private Advice advise(String model, Task task, OptionalDouble budget, String machines) {
    return advise(model, task, budget, Payment.EITHER, machines);
  }

  private Advice advise(
      String model, Task task, OptionalDouble budget, Payment payment, String machines) {
    ModelShape shape = ModelShape.of(Presets.named(model));
    return adviser.advise(
        new AdviceRequest(
            model,
            shape,
            task,
            task.tokens(shape),
            4096,
            budget,
            payment,
            adviser.machines(machines)));
  }
}
