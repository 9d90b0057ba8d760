package dev.duoka.planner.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.layout.ProductFormat;
import dev.duoka.planner.memory.Owner;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.planner.time.Cause;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

final class ReportTests {
  @Test
  void thePageOfTheCatalogueIsUpToDate() throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "hardware.md");
    assertThat(Files.readString(page))
        .as("docs/hardware.md; write it anew with ./duoka advise --docs > docs/hardware.md")
        .isEqualTo(HardwareDocs.markdown(Catalogue.builtIn()));
  }

  @Test
  void theJsonHasTheDocumentedFields() {
    JsonNode json = PlanJson.of(plan("deepseek-v2-lite", "8xH100"));
    assertThat(json.get("parameters").asLong()).isEqualTo(15_706_484_224L);
    assertThat(json.get("active_parameters").asLong()).isBetween(2_600_000_000L, 2_700_000_000L);
    assertThat(json.get("machine").get("name").asString()).isEqualTo("8xH100-80G-SXM");
    assertThat(json.get("infeasible").isArray()).isTrue();
    assertThat(json.get("plans")).isNotEmpty();
    double before = 0;
    for (JsonNode plan : json.get("plans")) {
      for (Owner owner : Owner.values()) {
        assertThat(plan.get("memory").get(owner.toString()).isNumber()).isTrue();
        assertThat(plan.get("memory_basis").get(owner.toString()).asString())
            .isIn("exact", "measured", "assumed");
      }
      double sum = 0;
      for (JsonNode value : plan.get("memory")) {
        sum += value.asDouble();
      }
      assertThat(sum).isCloseTo(plan.get("memory_total").asDouble(), within(1e-6));
      for (Cause cause : Cause.values()) {
        assertThat(plan.get("time").get(cause.toString()).isNumber()).isTrue();
      }
      assertThat(plan.get("tokens_per_second").asDouble()).isPositive();
      assertThat(plan.get("mfu").get("causal").asDouble())
          .isLessThan(plan.get("mfu").get("full").asDouble());
      assertThat(plan.get("cost").get("usd_per_hour").asDouble()).isPositive();
      assertThat(plan.get("why")).isNotEmpty();
      assertThat(plan.get("layout").get("zero").asInt()).isBetween(0, 3);
      // Best first, but for ties within two percent that go to the simpler layout.
      assertThat(plan.get("time_total").asDouble()).isGreaterThan(0.95 * before);
      before = plan.get("time_total").asDouble();
    }
  }

  @Test
  void theJsonSaysOfHowManyWeightsTheStatesAreAway() {
    Layout layout = plan("deepseek-v2-lite", "8xH100").plans().getFirst().layout();
    Layout away = layout.with(1, Offload.OPTIMIZER, OffloadUpdate.DEVICE, layout.states());
    JsonNode part = PlanJson.layout(away.offloading(0.25));
    assertThat(part.get("offload").asString()).isEqualTo("optimizer");
    assertThat(part.get("offload_update").asString()).isEqualTo("device");
    assertThat(part.get("offload_fraction").asDouble()).isEqualTo(0.25);
    assertThat(PlanJson.layout(away).get("offload_fraction").asDouble()).isEqualTo(1);
    Layout host =
        away.offloading(0.25).with(1, Offload.OPTIMIZER, OffloadUpdate.HOST, away.states());
    assertThat(PlanJson.layout(host).get("offload_fraction").asDouble())
        .as("the host updates all of them")
        .isEqualTo(1);
  }

  @Test
  void theJsonSaysInWhichOrderThePipelineWorks() {
    Layout layout = plan("deepseek-v2-lite", "8xH100").plans().getFirst().layout();
    JsonNode usual = PlanJson.layout(layout.with(PipelineOrder.DEFAULT));
    assertThat(usual.get("schedule").asString()).isEqualTo("1f1b");
    assertThat(usual.get("stages_per_rank").asInt()).isOne();
    JsonNode turns = PlanJson.layout(layout.with(new PipelineOrder(PipelineKind.INTERLEAVED, 3)));
    assertThat(turns.get("schedule").asString()).isEqualTo("interleaved");
    assertThat(turns.get("stages_per_rank").asInt()).isEqualTo(3);
    JsonNode split = PlanJson.layout(layout.with(new PipelineOrder(PipelineKind.ZERO_BUBBLE, 1)));
    assertThat(split.get("schedule").asString()).isEqualTo("zero_bubble");
  }

  @Test
  void theTextHasTablesBarsAndReasons() {
    String text = PlanText.of(plan("deepseek-llm-7b", "8xA100"));
    assertThat(text)
        .contains(
            "6.910 B parameters", "tokens/s", "why", "[WW", "Rules of thumb", "= ", "~ ", "m ");
    assertThat(PlanText.of(plan("deepseek-v3", "8xA100")))
        .contains("Nothing fits", "Nearest to fitting", "It fits with any one");
  }

  private static PlanResult plan(String model, String machine) {
    Catalogue catalogue = Catalogue.builtIn();
    Machine target = catalogue.machine(machine);
    return new Planner(catalogue)
        .plan(
            new PlanRequest(
                model,
                ModelShape.of(Presets.named(model)),
                target,
                new Job(4096, 1 << 20, Job.DEFAULT_IMBALANCE),
                Method.FULL,
                List.of(ProductFormat.halfPrecision(target.card())),
                false,
                EngineTraits.DUOKA));
  }
}
