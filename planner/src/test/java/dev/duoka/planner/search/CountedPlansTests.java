package dev.duoka.planner.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Basis;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Interconnect;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.dryrun.DryRun;
import dev.duoka.parallel.dryrun.DryRunJob;
import dev.duoka.parallel.plan.LayoutCheck;
import dev.duoka.planner.layout.EngineSupport;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.memory.BookedMemory;
import dev.duoka.planner.memory.MemoryEstimate;
import dev.duoka.planner.memory.MemoryModel;
import dev.duoka.planner.memory.Owner;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a plan says of memory is what the engine books, or is marked as an estimate. */
class CountedPlansTests {
  private static final double GIB = 1L << 30;
  private static final Catalogue CATALOGUE = Catalogue.builtIn();
  private static final Planner PLANNER = new Planner(CATALOGUE);

  @ParameterizedTest
  @CsvSource({
    "deepseek-llm-7b, 4xH100-80G",
    "deepseek-llm-7b, 4xA100-80G",
    "deepseek-v2-lite, 8xH200",
    "deepseek-v2-lite, 8xH100-80G",
    "deepseek-coder-1.3b, 2xRTX4090"
  })
  void memoryIsThatOfADryRun(String model, String machine) {
    PlanRequest request = request(model, machine, Precision.BF16);
    PlanResult result = PLANNER.plan(request);
    Plan plan = result.bestRunnable().orElseThrow();
    ModelConfig config = Presets.named(model);
    long booked =
        DryRunJob.of(config, plan.layout(), request.job().sequenceLength())
            .steady()
            .ofStages()
            .stream()
            .mapToLong(CountedPlansTests::booked)
            .max()
            .orElseThrow();
    assertThat(plan.memory().source()).isEqualTo(MemoryEstimate.Source.DRY_RUN);
    assertThat(plan.memory().allocated()).isEqualTo((double) booked);
    assertThat(plan.memory().total()).isGreaterThan(booked + 0.5 * GIB);
    assertThat(plan.memory().total() / GIB).isLessThan(request.machine().card().memoryGib());
    for (Owner owner : Owner.values()) {
      Basis basis = Objects.requireNonNull(plan.memory().bytes().get(owner)).basis();
      assertThat(basis).as("%s", owner).isEqualTo(owner.isTensor() ? Basis.EXACT : basis);
    }
  }

  private static long booked(DryRunJob job) {
    return DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(job).peakBytes());
  }

  @Test
  void whatTheEngineCannotRunIsEstimatedThroughout() {
    PlanResult result =
        PLANNER.plan(request("deepseek-llm-7b", "2xMI300X", Precision.BF16).by(Method.QLORA));
    assertThat(result.plans()).isNotEmpty();
    for (Plan plan : result.plans()) {
      assertThat(plan.missing()).contains("cards of this vendor");
      assertThat(plan.memory().source()).isEqualTo(MemoryEstimate.Source.CLOSED_FORM);
      assertThat(plan.memory().bytes().values())
          .allMatch(figure -> figure.value() == 0 || figure.basis() == Basis.ASSUMED);
    }
  }

  @Test
  void adaptersAreCountedAsTheyAreTrained() {
    PlanResult result =
        PLANNER.plan(request("deepseek-llm-7b", "2xH100-80G", Precision.BF16).by(Method.LORA));
    assertThat(result.plans()).isNotEmpty();
    for (Plan plan : result.plans()) {
      assertThat(plan.missing()).isEmpty();
      assertThat(plan.memory().source()).isEqualTo(MemoryEstimate.Source.DRY_RUN);
      double frozen = 2 * 6.9e9 / plan.layout().tensor() / plan.layout().pipeline();
      double shares = plan.layout().zero() == 3 ? plan.layout().data() : 1;
      assertThat(plan.memory().of(Owner.WEIGHTS)).isGreaterThan(frozen / shares);
      assertThat(plan.memory().of(Owner.OPTIMIZER)).isLessThan(GIB);
      assertThat(plan.memory().of(Owner.GRADIENTS)).isLessThan(GIB);
    }
  }

  @Test
  void basesInFourBitsAreCountedAsTheyAreTrained() {
    PlanResult result =
        PLANNER.plan(request("deepseek-llm-7b", "2xH100-80G", Precision.BF16).by(Method.QLORA));
    assertThat(result.plans()).isNotEmpty();
    for (Plan plan : result.plans()) {
      assertThat(plan.missing()).isEmpty();
      assertThat(plan.memory().source()).isEqualTo(MemoryEstimate.Source.DRY_RUN);
      int parts = plan.layout().tensor() * plan.layout().pipeline();
      double layers = 0.516 * 6.07e9 / parts; // of 30 layers; embedding and head are in 16 bits
      double shares = plan.layout().zero() == 3 ? plan.layout().data() : 1;
      assertThat(plan.memory().of(Owner.WEIGHTS))
          .isBetween(layers / shares, layers / shares + 4 * GIB);
    }
  }

  /**
   * What the fine-tuning of large models needs: full recompute, sequences of 2048 tokens one at a
   * time, rank 16 on all linear layers; all that the driver hands out, its context included.
   */
  @ParameterizedTest
  @CsvSource({
    "deepseek-coder-33b, 1xRTX4090, QLORA, 1, 0, 21.8, 22.6", // of a card of 24 GB
    "deepseek-llm-67b, 1xH100-80G, QLORA, 1, 0, 38, 45",
    "deepseek-llm-67b, 4xH100-80G, LORA, 4, 0, 33, 50",
    "deepseek-llm-67b, 4xH100-80G, LORA, 1, 3, 33, 50",
  })
  void largeModelsFitWithAdapters(
      String model,
      String machine,
      Method method,
      int tensor,
      int zero,
      double atLeast,
      double atMost) {
    Machine cards = CATALOGUE.machine(machine);
    Layout layout =
        new Layout(
            cards.gpus() / tensor,
            tensor,
            1,
            1,
            1,
            zero,
            1,
            4,
            Recompute.FULL,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.BF16,
            method);
    PlanRequest request =
        new PlanRequest(
            model,
            ModelShape.of(Presets.named(model)),
            cards,
            new Job(2048, 4L * 2048 * layout.data(), Job.DEFAULT_IMBALANCE),
            method,
            List.of(Precision.BF16),
            true,
            EngineTraits.DUOKA);
    Evaluator evaluator = new Evaluator(request, CATALOGUE, new BookedMemory(), Optional.empty());
    assertThat(evaluator.isCounted(layout)).isTrue();
    assertThat(evaluator.memory(layout).total() / GIB).isBetween(atLeast, atMost);
  }

  @Test
  void everyAxisStageAndPlaceOfStatesRuns() {
    Machine machine = CATALOGUE.machine("8xH100");
    for (int zero = 0; zero <= 3; zero++) {
      for (Offload offload : List.of(Offload.NONE, Offload.OPTIMIZER)) {
        for (StateForm form : PlanRequest.FORMS) {
          Layout whole =
              new Layout(
                  2,
                  2,
                  2,
                  2,
                  1,
                  zero,
                  1,
                  4,
                  Recompute.FULL,
                  offload,
                  LossKind.CHUNKED,
                  Precision.BF16,
                  Method.FULL,
                  form);
          for (OffloadUpdate update : OffloadUpdate.values()) {
            Layout layout = whole.with(zero, offload, update, form);
            assertThat(EngineSupport.missing(layout, machine)).isEmpty();
          }
        }
      }
    }
  }

  /** 33 billion weights with all states in fp32 are 559 GiB; four such cards have 317. */
  @Test
  void fewerBitsAreTakenWhereNothingFitsInAll() {
    PlanRequest request = request("deepseek-coder-33b", "4xA100-80G", Precision.BF16);
    PlanRequest alone = request.on(request.machine().withHostMemory(64));
    Plan plan = PLANNER.best(alone).orElseThrow();
    assertThat(plan.layout().states())
        .isEqualTo(new StateForm(MomentForm.BITS8, false, GradientForm.FP32));
    assertThat(plan.layout().offload()).isEqualTo(Offload.NONE);
    assertThat(plan.runnable()).isTrue();
    assertThat(plan.memory().total() / GIB).isLessThan(0.98 * 79.3);
    assertThat(PLANNER.best(alone.keeping(List.of(StateForm.FULL))).filter(Plan::runnable))
        .isEmpty();
    // With room in the host, or in two machines' cards, they stay as they are.
    PlanRequest host = request.on(request.machine().withHostMemory(2048));
    assertThat(PLANNER.best(host).orElseThrow().layout().states()).isEqualTo(StateForm.FULL);
  }

  /** What a card has room for stays on it: it need not travel in every step. */
  @Test
  void noMoreIsPutAwayThanMustBe() {
    PlanRequest request = request("deepseek-llm-7b", "1xH100", Precision.BF16);
    PlanRequest roomy =
        request
            .on(request.machine().withHostMemory(256))
            .keeping(List.of(new StateForm(MomentForm.BF16, true, GradientForm.FP32)));
    Layout best = PLANNER.best(roomy).orElseThrow().layout();
    assertThat(best.offload()).isEqualTo(Offload.OPTIMIZER);
    assertThat(best.updatesOnHost()).isFalse();
    assertThat(best.offloadFraction()).isLessThan(1);
    double seconds = PLANNER.time(roomy, best).total();
    assertThat(seconds).isLessThan(PLANNER.time(roomy, best.offloading(1)).total());
  }

  @Test
  void hostMemoryOfOffloadIsCountedOverAllRanks() {
    PlanRequest request = request("deepseek-llm-7b", "2xRTX4090", Precision.BF16);
    PlanRequest roomy = request.on(request.machine().withHostMemory(512));
    Plan plan = PLANNER.best(roomy).orElseThrow();
    assertThat(plan.layout().offload()).isEqualTo(Offload.OPTIMIZER);
    long booked = 0;
    for (DryRunJob job :
        DryRunJob.of(roomy.shape().config(), plan.layout(), 4096).steady().ofStages()) {
      booked +=
          DryRunDevice.of(Device.cuda(0), () -> DryRun.unrolled(job).hostBytes())
              * (plan.layout().gpus() / plan.layout().pipeline());
    }
    booked += MemoryModel.CHECKPOINT_COPY * roomy.shape().parameters();
    assertThat(plan.memory().hostBytes()).isEqualTo((double) booked);
    // A little less than that is too little, whatever the formulas say.
    double gib = 0.99 * booked / GIB / 0.85;
    PlanRequest tight = request.on(request.machine().withHostMemory(gib));
    double taken = PLANNER.best(tight).map(other -> other.memory().hostBytes() / GIB).orElseThrow();
    assertThat(taken).isLessThan(0.85 * gib);
  }

  @Test
  void groupsOfALayerStayInsideADomain() {
    Machine whole = CATALOGUE.machine("8xRTX4090");
    Machine pairs =
        new Machine(
            whole.name(),
            whole.card(),
            8,
            whole.link(),
            2,
            whole.outer(),
            whole.linkShare(),
            whole.host());
    PlanRequest request = request("deepseek-v2-lite", "8xRTX4090", Precision.BF16).on(pairs);
    List<Layout> seen = new ArrayList<>();
    new SearchSpace(request, new SearchSpace.Choice(Precision.BF16, StateForm.FULL, true, false))
        .forEach(
            8,
            layout -> {
              seen.add(layout);
              return Fit.FITS;
            });
    assertThat(seen)
        .isNotEmpty()
        .allMatch(layout -> layout.tensor() <= 2 && layout.expert() <= 2)
        .anyMatch(layout -> layout.tensor() == 2)
        .allMatch(
            layout ->
                LayoutCheck.of(
                        request.shape().config(), layout, 4096, OptionalInt.empty(), List.of())
                    .isEmpty());
  }

  /** Pairs over NVLink bridges: what is shared within a pair does not cross PCIe each time. */
  @Test
  void replicasKeepSharingWithinFastLinks() {
    Machine whole = CATALOGUE.machine("8xA100-80G-PCIe");
    Machine pairs =
        new Machine(
            whole.name(),
            whole.card(),
            8,
            Interconnect.BRIDGE,
            2,
            Interconnect.PCIE_P2P,
            1,
            whole.host());
    PlanRequest request = request("deepseek-coder-1.3b", "8xA100-80G-PCIe", Precision.BF16);
    Evaluator evaluator =
        new Evaluator(request.on(pairs), CATALOGUE, new BookedMemory(), Optional.empty());
    SearchSpace.Choice choice =
        new SearchSpace.Choice(Precision.BF16, StateForm.FULL, false, false);
    Map<Integer, Layout> dataAlone = new HashMap<>();
    Set<Integer> onOneDomain = new HashSet<>();
    new SearchSpace(request.on(pairs), choice)
        .forEach(
            8,
            layout -> {
              assertThat(layout.data() % layout.replicate()).isZero();
              if (layout.data() == 8 && layout.zero() == 3) {
                dataAlone.putIfAbsent(layout.replicate(), layout);
              }
              return Fit.FITS;
            });
    new SearchSpace(request, choice)
        .forEach(
            8,
            layout -> {
              onOneDomain.add(layout.replicate());
              return Fit.FITS;
            });
    assertThat(dataAlone).containsOnlyKeys(1, 2, 4);
    assertThat(onOneDomain).as("links are all alike").containsOnly(1);
    Layout apart = Objects.requireNonNull(dataAlone.get(1));
    Layout within = Objects.requireNonNull(dataAlone.get(4));
    assertThat(evaluator.seconds(within)).isLessThan(evaluator.seconds(apart));
    assertThat(evaluator.demand(within).deviceBytes())
        .isGreaterThan(evaluator.demand(apart).deviceBytes());
    assertThat(evaluator.memory(within).total()).isGreaterThan(evaluator.memory(apart).total());
  }

  /** Linear layers of 8 bits are in the engine. */
  @Test
  void theEngineRunsFp8() {
    PlanResult result = PLANNER.plan(request("deepseek-coder-1.3b", "1xH100-80G", Precision.FP8));
    assertThat(result.bestRunnable()).isPresent();
    assertThat(result.bestRunnable().orElseThrow().layout().precision()).isEqualTo(Precision.FP8);
  }

  private static PlanRequest request(String model, String machine, Precision precision) {
    return new PlanRequest(
        model,
        ModelShape.of(Presets.named(model)),
        CATALOGUE.machine(machine),
        new Job(4096, 4096L * 64, Job.DEFAULT_IMBALANCE),
        Method.FULL,
        List.of(precision),
        true,
        EngineTraits.DUOKA);
  }
}
