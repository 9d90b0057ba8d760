package dev.duoka.measure.profile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.ErrorCode;
import dev.duoka.comm.ExchangeSpan;
import dev.duoka.formats.json.Json;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.measure.step.MeshStepJob;
import dev.duoka.measure.step.StepJob;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.device.SingleDevice;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

final class ProfiledRanksTests {
  private static final int STEPS = 2;

  @TempDir private Path folder;

  private static ProfiledRanks profiled(String mesh) {
    StepJob step =
        new StepJob(
            ModelSource.config("tiny-llama", Map.of()),
            Precision.FP32,
            Recompute.NONE,
            SingleDevice.parse("cpu"),
            2,
            2,
            16,
            1,
            StateForm.FULL,
            Offload.NONE,
            OffloadUpdate.DEVICE,
            1,
            false,
            320);
    return ProfiledRanks.run(MeshStepJob.of(step, MeshOption.parse(mesh), "cpu"), STEPS);
  }

  @Test
  void eachRankShowsItsPartsAndItsExchange() {
    ProfiledRanks profiled = profiled("data=2,tensor=2,zero=1");
    assertThat(profiled.ranks()).hasSize(4);
    for (ProfiledRanks.Rank rank : profiled.ranks()) {
      assertThat(rank.exposedMilliseconds()).containsKeys("data", "tensor");
      assertThat(rank.exposed()).isPositive();
      double end = STEPS * rank.milliseconds();
      for (ExchangeSpan span : rank.trace().alone()) {
        assertThat(span.startMs()).isNotNegative();
        assertThat(span.endMs()).isGreaterThanOrEqualTo(span.startMs());
      }
      double parts =
          rank.trace().parts().stream().mapToDouble(it -> it.endMs() - it.startMs()).sum();
      assertThat(parts).as("parts lie within the steps").isBetween(0.0, 1.01 * end);
      assertThat(rank.lines())
          .extracting(StepProfile.Line::name)
          .contains("gather rows", "sum rows", "adamw", "attention");
    }
  }

  @Test
  void stagesOfAPipelineHaveFloorsOfTheirOwn() {
    ProfiledRanks profiled = profiled("pipeline=2");
    List<ProfiledRanks.Rank> ranks = profiled.ranks();
    assertThat(ranks.get(0).floorMilliseconds()).isPositive();
    assertThat(ranks.get(1).floorMilliseconds())
        .isPositive()
        .isNotEqualTo(ranks.get(0).floorMilliseconds());
    assertThat(ranks.get(1).lines())
        .extracting(StepProfile.Line::name)
        .contains("linear cross-entropy");
    assertThat(ranks.get(0).lines())
        .extracting(StepProfile.Line::name)
        .doesNotContain("linear cross-entropy");
  }

  @Test
  void theTraceHasAProcessForEachRank() throws Exception {
    ProfiledRanks profiled = profiled("data=2");
    Path file = folder.resolve("trace.json");
    profiled.writeTrace(file);
    JsonNode events =
        Json.parse(Files.readAllBytes(file), "trace", ErrorCode.FORMAT).path("traceEvents");
    for (int rank = 0; rank < 2; rank++) {
      int number = rank;
      assertThat(events)
          .anySatisfy(
              event -> {
                assertThat(event.path("name").asString("")).isEqualTo("process_name");
                assertThat(event.path("pid").asInt(-1)).isEqualTo(number);
                assertThat(event.path("args").path("name").asString(""))
                    .isEqualTo("rank " + number + " on cpu");
              })
          .anySatisfy(
              event -> {
                assertThat(event.path("cat").asString("")).isEqualTo("exchange");
                assertThat(event.path("pid").asInt(-1)).isEqualTo(number);
              });
    }
    ObjectNode report = Json.object();
    profiled.describe(report);
    assertThat(report.path("by_rank")).hasSize(2);
  }
}
