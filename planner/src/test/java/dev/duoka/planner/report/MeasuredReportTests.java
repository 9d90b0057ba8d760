package dev.duoka.planner.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Basis;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.MachineProfile;
import dev.duoka.hardware.MachineProfileFile;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.planner.time.Cause;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a report says its times rest on, where a profile is there. */
final class MeasuredReportTests {
  private static final Catalogue CATALOGUE = Catalogue.builtIn();

  private static MachineProfile profile(String cards) {
    return MachineProfileFile.read(
        Path.of(
            System.getProperty("duoka.repository"),
            "bench/profiles/2026-11-29-" + cards + "-h200.json"));
  }

  private static PlanResult plan(int gpus, MachineProfile profile, Precision precision) {
    Machine machine = CATALOGUE.machine(gpus + "xH200").measured(profile);
    return new Planner(CATALOGUE)
        .plan(
            new PlanRequest(
                "tiny-llama",
                ModelShape.of(Presets.named("tiny-llama")),
                machine,
                new Job(1024, 1 << 15, Job.DEFAULT_IMBALANCE),
                Method.FULL,
                List.of(precision),
                true,
                EngineTraits.DUOKA));
  }

  @Test
  void whatWasMeasuredIsSaidToBe() {
    PlanResult result = plan(4, profile("four"), Precision.BF16);
    assertThat(PlanText.of(result))
        .contains("Times by what 'calibrate' measured: 4 x NVIDIA H200, measured 2026-11-29.\n")
        .contains("by what was measured")
        .doesNotContain("not measured");
    for (Plan plan : result.plans()) {
      if (plan.layout().offload() == Offload.NONE) {
        assertThat(plan.time().unmeasured()).as(plan.layout().toString()).isEmpty();
        assertThat(plan.time().high()).isCloseTo(1.1 * plan.time().total(), withinPercentage(1e-6));
      }
    }
    assertThat(PlanJson.of(result).get("profile_lacks")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"one, 1 card", "four, 4 cards"})
  void exchangesAmongMoreCardsThanWereMeasuredAreAssumed(String cards, String among) {
    PlanResult result = plan(8, profile(cards), Precision.BF16);
    assertThat(PlanText.of(result))
        .contains("Exchanges among more than " + among + " were not measured")
        .contains("not measured on such a machine");
    assertThat(result.plans())
        .filteredOn(plan -> plan.layout().data() == 8)
        .isNotEmpty()
        .allSatisfy(
            plan -> {
              assertThat(plan.time().priced()).isTrue();
              assertThat(plan.time().unmeasured()).contains(Cause.DATA);
              assertThat(plan.time().seconds())
                  .extractingByKey(Cause.GEMM)
                  .extracting(Figure::basis)
                  .isEqualTo(Basis.MEASURED);
              assertThat(plan.time().high()).isGreaterThan(1.101 * plan.time().total());
              assertThat(PlanJson.plan(plan).get("time_unmeasured").toString()).contains("data");
            });
  }

  @Test
  void whatTwoOfFourCardsExchangeWasMeasured() {
    PlanResult result = plan(2, profile("four"), Precision.BF16);
    assertThat(PlanText.of(result)).doesNotContain("not measured");
  }

  @Test
  void aPrecisionThatWasNotMeasuredIsTimedByFormulas() {
    formulas(plan(4, profile("four"), Precision.FP32), "products in fp32");
  }

  @ParameterizedTest
  @ValueSource(strings = {"products in bf16", "attention", "streams of bytes"})
  void aProfileThatLacksSomethingIsNoneToTimeBy(String lacking) {
    MachineProfile all = profile("four");
    boolean products = lacking.startsWith("products");
    formulas(
        plan(
            4,
            new MachineProfile(
                all.date(),
                all.cards(),
                all.versions(),
                all.seconds(),
                all.launchSeconds(),
                products ? List.of() : all.products(),
                lacking.equals("attention") ? List.of() : all.attention(),
                lacking.startsWith("streams") ? List.of() : all.streams(),
                all.exchanges(),
                all.host()),
            Precision.BF16),
        lacking);
  }

  private static void formulas(PlanResult result, String lacking) {
    assertThat(PlanText.of(result))
        .contains(
            "Times by formulas: what 'calibrate' measured (4 x NVIDIA H200, measured 2026-11-29)"
                + " has no "
                + lacking)
        .contains("published runs of this kind were at")
        .doesNotContain("by what was measured");
    assertThat(result.plans()).isNotEmpty().noneMatch(plan -> plan.time().priced());
    assertThat(PlanJson.of(result).get("profile_lacks").toString()).contains(lacking);
    assertThat(PlanJson.plan(result.plans().getFirst()).get("time_priced").asBoolean()).isFalse();
  }
}
