package dev.duoka.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.hardware.Machine;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.MomentForm;
import dev.duoka.layout.Offload;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.planner.figure.Figure;
import dev.duoka.planner.layout.EngineTraits;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.memory.MemoryEstimate;
import dev.duoka.planner.memory.MemoryModel;
import dev.duoka.planner.report.PlannedRun;
import dev.duoka.planner.search.Cost;
import dev.duoka.planner.search.Plan;
import dev.duoka.planner.search.PlanRequest;
import dev.duoka.planner.search.PlanResult;
import dev.duoka.planner.search.Planner;
import dev.duoka.planner.shape.ModelShape;
import dev.duoka.planner.time.Cause;
import dev.duoka.planner.time.StepTime;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.run.HostMemoryNeed;
import dev.duoka.train.run.RunChecks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a plan shows, {@code train} takes as it is written. */
final class PlannedRunsTests {
  private static final Planner PLANNER = new Planner(Catalogue.builtIn());
  private static final StateForm HALF = new StateForm(MomentForm.BF16, true, GradientForm.FP32);
  private static final StateForm SMALL = new StateForm(MomentForm.BITS8, false, GradientForm.FP32);

  @Test
  void everyRunFileIsAcceptedAsWritten(@TempDir Path folder) throws IOException {
    Path corpus = Files.writeString(folder.resolve("corpus.txt"), "Some text.");
    Path file = folder.resolve("run.yaml");
    List<Layout> written = new ArrayList<>();
    for (PlanRequest request :
        List.of(
            request("deepseek-v2-lite", "8xH100", 1 << 20, 2048),
            // So few sequences that a pipeline would mostly wait.
            request("deepseek-v2-lite", "8xH200", 1 << 15, 2048),
            request("deepseek-coder-1.3b", "4xRTX4090", 1 << 17, 2048).keeping(List.of(SMALL)),
            request("deepseek-coder-6.7b", "2xRTX4090", 1 << 17, 2048),
            request("deepseek-coder-6.7b", "2xRTX4090", 1 << 17, 2048).by(Method.LORA),
            request("deepseek-coder-6.7b", "1xRTX4090", 1 << 16, 2048).by(Method.QLORA),
            request("deepseek-llm-7b", "1xH100", 1 << 17, 256).keeping(List.of(HALF)),
            request("deepseek-llm-7b", "8xRTX4090", 1 << 17, 0))) {
      PlanResult result = PLANNER.plan(request);
      List<Plan> plans = new ArrayList<>(result.plans());
      plans.addAll(result.pareto());
      assertThat(plans).isNotEmpty();
      for (Plan plan : plans) {
        assertThat(plan.missing()).isEmpty();
        Files.writeString(
            file,
            PlannedRun.yaml(
                plan, request, Optional.empty(), List.of(corpus.toString()), OptionalLong.empty()));
        RunConfig config = RunFile.read(file, List.of());
        assertThat(config.layout()).isEqualTo(plan.layout());
        assertThat(RunChecks.problems(config)).as(plan.layout().toString()).isEmpty();
        written.add(config.layout());
      }
    }
    assertThat(written)
        .anyMatch(layout -> layout.pipeline() > 1)
        .anyMatch(layout -> layout.order().kind() == PipelineKind.INTERLEAVED)
        .anyMatch(layout -> layout.order().kind() == PipelineKind.ZERO_BUBBLE)
        .anyMatch(layout -> layout.expert() > 1)
        .anyMatch(layout -> layout.method() == Method.LORA)
        .anyMatch(layout -> layout.method() == Method.QLORA)
        .anyMatch(layout -> layout.zero() > 0)
        .anyMatch(layout -> layout.offload() == Offload.OPTIMIZER)
        .anyMatch(layout -> layout.offloadFraction() < 1)
        .anyMatch(layout -> layout.states().equals(SMALL))
        .anyMatch(layout -> layout.states().equals(StateForm.FULL));
  }

  /** Also of sequences that the model was not meant for: what is planned is what is trained. */
  @Test
  void sequencesOfAnyLengthAreAcceptedAsWritten(@TempDir Path folder) throws IOException {
    Path corpus = Files.writeString(folder.resolve("corpus.txt"), "Some text.");
    Map<Optional<Path>, List<String>> models = new LinkedHashMap<>();
    models.put(Optional.empty(), Presets.names());
    // Where a scaling does not say what it was stretched from, the positions say it.
    List<String> scalings =
        List.of(
            "null",
            "{\"type\": \"linear\", \"factor\": 4}",
            "{\"type\": \"yarn\", \"factor\": 4}",
            "{\"type\": \"yarn\", \"factor\": 4, \"original_max_position_embeddings\": 1024}",
            "{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1,"
                + " \"high_freq_factor\": 4}");
    for (String scaling : scalings) {
      Path own = Files.createDirectory(folder.resolve("model-" + models.size()));
      Files.writeString(
          own.resolve("config.json"),
          """
          {"model_type": "llama", "hidden_size": 1024, "num_hidden_layers": 8,
           "num_attention_heads": 8, "intermediate_size": 2816, "vocab_size": 32000,
           "max_position_embeddings": 2048, "bos_token_id": 1, "eos_token_id": 2,
           "rope_theta": 500000, "rope_scaling": %s}
          """
              .formatted(scaling));
      models.put(Optional.of(own), List.of(own.toString()));
    }
    Path file = folder.resolve("run.yaml");
    for (Map.Entry<Optional<Path>, List<String>> some : models.entrySet()) {
      for (String name : some.getValue()) {
        ModelConfig config =
            some.getKey().map(ModelConfigReader::read).orElseGet(() -> Presets.named(name));
        int most = config.maxPositions();
        for (int length : List.of(most / 2, most, most + 1, 4 * most)) {
          for (Method method : Method.values()) {
            RunConfig run = written(name, config, some.getKey(), length, method, corpus, file);
            String what = name + " with " + length + " by " + method;
            assertThat(RunChecks.problems(run)).as(what).isEmpty();
            assertThat(run.data().sequenceLength()).as(what).isEqualTo(length);
            assertThat(run.model().overrides().isEmpty()).as(what).isEqualTo(length <= most);
            ModelConfig trained = ModelSource.config(run.model());
            assertThat(trained.maxPositions()).as(what).isEqualTo(Math.max(most, length));
            assertThat(trained.rope()).as(what).isEqualTo(config.rope());
          }
        }
      }
    }
  }

  private static RunConfig written(
      String name,
      ModelConfig config,
      Optional<Path> folder,
      int length,
      Method method,
      Path corpus,
      Path file)
      throws IOException {
    PlanRequest request =
        new PlanRequest(
            name,
            ModelShape.of(config),
            Catalogue.builtIn().machine("1xH200"),
            new Job(length, length, Job.DEFAULT_IMBALANCE),
            method,
            List.of(Precision.BF16),
            true,
            EngineTraits.DUOKA);
    Layout layout =
        new Layout(
            1,
            1,
            1,
            1,
            1,
            0,
            1,
            1,
            Recompute.FULL,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.BF16,
            method);
    // What is said of memory and time is a comment.
    Plan plan =
        new Plan(
            layout,
            new MemoryEstimate(Map.of(), 0, 0, MemoryEstimate.Source.CLOSED_FORM),
            new StepTime(Map.of(Cause.GEMM, Figure.measured(1)), 1, 1, false),
            1,
            1,
            1,
            NumberFormat.BF16,
            new Cost(OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(), 1),
            List.of(),
            List.of());
    Files.writeString(
        file,
        PlannedRun.yaml(plan, request, folder, List.of(corpus.toString()), OptionalLong.empty()));
    return RunFile.read(file, List.of());
  }

  /** The planner and the run that keeps the copy know nothing of each other. */
  @Test
  void theCopyForCheckpointsIsTheRunsOwn() {
    assertThat(MemoryModel.CHECKPOINT_COPY).isEqualTo(HostMemoryNeed.BYTES_PER_PARAMETER);
  }

  private static PlanRequest request(String model, String machine, long tokens, double hostGib) {
    Machine target = Catalogue.builtIn().machine(machine).withHostMemory(hostGib);
    return new PlanRequest(
        model,
        ModelShape.of(Presets.named(model)),
        target,
        new Job(4096, tokens, Job.DEFAULT_IMBALANCE),
        Method.FULL,
        List.of(Precision.BF16),
        true,
        EngineTraits.DUOKA);
  }
}
