package dev.duoka.planner.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.memory.BookedMemory;
import dev.duoka.planner.memory.Owner;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What must hold of every layout that a model, a machine and a method allow, fitting or not. */
final class PlanPropertiesTests {
  private static final List<String> MODELS =
      List.of(
          "deepseek-coder-1.3b",
          "deepseek-llm-7b",
          "deepseek-llm-67b",
          "deepseek-v2-lite",
          "deepseek-v3");
  private static final int LAYOUTS = 100;

  private final Catalogue catalogue = Catalogue.builtIn();
  private final Random random = new Random(29);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1xRTX4090",
        "7xRTX4090",
        "1xA100",
        "6xA100",
        "8xA100-80G-PCIe",
        "8xV100",
        "8xH100",
        "8xH200",
        "8xB200",
        "4xL4"
      })
  void nothingIsFasterThanTheCardsAndNothingIsFree(String name) {
    Machine machine = catalogue.machine(name);
    for (String model : MODELS) {
      for (Method method : Method.values()) {
        PlanRequest request = request(model, machine, method);
        Evaluator evaluator =
            new Evaluator(request, catalogue, new BookedMemory(), Optional.empty());
        for (Layout layout : layouts(request)) {
          sound(request, evaluator, layout);
        }
      }
    }
  }

  private static void sound(PlanRequest request, Evaluator evaluator, Layout layout) {
    // By formulas: what they say of any layout must make sense, whoever runs it.
    Plan plan = evaluator.plan(layout, evaluator.closedForm(layout));
    String what = request.model() + " on " + request.machine().name() + ": " + layout;
    double most =
        request.machine().card().achievable().gemm()
            * request.machine().card().achievable().training();
    assertThat(plan.mfuCausal()).as(what).isPositive().isLessThan(most);
    assertThat(plan.time().seconds().values())
        .as(what)
        .extracting(Figure::value)
        .allMatch(value -> value >= 0 && Double.isFinite(value));
    assertThat(plan.memory().bytes().values())
        .as(what)
        .extracting(Figure::value)
        .allMatch(value -> value >= 0 && Double.isFinite(value));
    if (layout.recompute() != Recompute.FULL) {
      Layout again = layout.with(Recompute.FULL, layout.precision());
      assertThat(evaluator.seconds(again)).as(what).isGreaterThan(evaluator.seconds(layout));
    }
    if (layout.offload() == Offload.PARAMETERS) {
      Layout inHost = layout.with(layout.zero(), Offload.OPTIMIZER, layout.states());
      Plan kept = evaluator.plan(inHost, evaluator.closedForm(inHost));
      assertThat(plan.memory().of(Owner.WEIGHTS)).as(what).isZero();
      assertThat(plan.memory().hostBytes()).as(what).isGreaterThan(kept.memory().hostBytes());
      assertThat(plan.time().total()).as(what).isGreaterThan(kept.time().total());
    }
  }

  private List<Layout> layouts(PlanRequest request) {
    List<Layout> all = new ArrayList<>();
    for (int gpus : SearchSpace.divisors(request.machine().gpus())) {
      new SearchSpace(
              request,
              new SearchSpace.Choice(request.precisions().getFirst(), StateForm.FULL, true, true))
          .forEach(
              gpus,
              layout -> {
                all.add(layout);
                return Fit.FITS;
              });
    }
    List<Layout> some = new ArrayList<>();
    for (int i = 0; i < LAYOUTS; i++) {
      some.add(all.get(random.nextInt(all.size())));
    }
    return some;
  }

  private static PlanRequest request(String model, Machine machine, Method method) {
    return new PlanRequest(
        model,
        ModelShape.of(Presets.named(model)),
        machine,
        new Job(4096, Job.tokensPerStep(1 << 18, 4096, machine.gpus()), Job.DEFAULT_IMBALANCE),
        method,
        List.of(ProductFormat.halfPrecision(machine.card())),
        false,
        EngineTraits.DUOKA);
  }
}
