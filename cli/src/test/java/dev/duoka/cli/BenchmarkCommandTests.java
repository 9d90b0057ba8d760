package dev.duoka.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What benchmarks of steps print, for people and for programs. */
final class BenchmarkCommandTests {
  private static final String MIXTURE =
      "bench train --model tiny-moe --device cpu --batch 2 --seq 64 --precision fp32 --steps 2"
          + " --warm-up 0 ";

  private final ProgramRun program = new ProgramRun();

  private String printed(String line) {
    int status = program.run(line.trim().split(" +"));
    assertThat(status).as(program.err().toString()).isZero();
    return program.out().toString();
  }

  private JsonNode json(String line) {
    return Json.parse(printed(line + " --json").getBytes(UTF_8), line, ErrorCode.USAGE);
  }

  private String refused(String line) {
    assertThat(program.run(line.trim().split(" +"))).isEqualTo(2);
    return program.err().toString();
  }

  private String failed(String line) {
    assertThat(program.run(line.trim().split(" +"))).isOne();
    return program.err().toString();
  }

  /** As config and train refuse it: by the field, with the nearest that is possible. */
  @ParameterizedTest
  @ValueSource(strings = {"profile", "selftest", "config"})
  void aMeshThatTheModelDoesNotAdmitIsRefusedByItsField(String command, @TempDir Path folder)
      throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-moe}
            device: cpu
            data: {sources: [jdk:src], sequence_length: 32}
            training: {tokens_per_step: 384, micro_batch: 1, steps: 1}
            """);
    String line = command + " " + file + " --set parallel.";
    assertThat(refused(line + "tensor=3"))
        .contains("parallel.tensor is 3", "Nearest valid: 2 or 4")
        .doesNotContain("internal error");
    assertThat(refused(line + "expert=3 --set parallel.data=3"))
        .contains("parallel.expert is 3")
        .doesNotContain("internal error");
  }

  @Test
  void calibrateRefusesWhatItCouldNotWriteBeforeItMeasures(@TempDir Path folder) {
    String line = "calibrate --device cpu --output ";
    assertThat(failed(line + "/proc/nope/x.json")).contains("cannot write the machine profile");
    assertThat(failed(line + folder)).contains(folder + ": it is no file");
    Path file = folder.resolve("x.json");
    assertThat(refused(line + file + " --disk " + folder.resolve("typo")))
        .contains("--disk " + folder.resolve("typo") + " does not exist");
    assertThat(refused(line + file + " --disk /dev/null"))
        .contains("--disk /dev/null is no folder");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void onlyCommandsThatCountMemoryTakeMeta() {
    for (String command : new String[] {"calibrate", "bench comm", "bench dispatch"}) {
      assertThat(refused(command + " --device meta")).contains("--device is meta, which computes");
    }
  }

  @Test
  void aModelWithExpertsSaysHowEvenTheirLoadIs() {
    JsonNode load = json(MIXTURE).get("expert_load");
    // 128 tokens with 2 of 8 experts each.
    assertThat(load.get("mean_tokens").asDouble()).isEqualTo(32);
    assertThat(load.get("largest_by_mean").asDouble()).isBetween(1.0, 4.0);
    assertThat(load.has("busiest_rank_by_share")).isFalse();
    assertThat(printed(MIXTURE))
        .containsPattern(
            "expert_load +32.0 tokens an expert on average; largest [0-9.]+, [0-9.]+ t")
        .doesNotContain("mean_tokens", "expert ranks");
    assertThat(printed(MIXTURE + "--mesh data=2,expert=2"))
        .containsPattern(
            "expert_load +64.0 tokens .*; the busiest of 2 expert ranks [0-9.]+ times");
  }

  @Test
  void fewerKindsOfTokensAreMoreUneven() {
    double usual = json(MIXTURE).get("expert_load").get("largest_by_mean").asDouble();
    JsonNode skewed = json(MIXTURE + "--token-kinds 2");
    assertThat(skewed.get("token_kinds").asInt()).isEqualTo(2);
    assertThat(skewed.get("expert_load").get("largest_by_mean").asDouble())
        .isGreaterThan(1.5 * usual);
    assertThat(refused(MIXTURE + "--token-kinds 0")).contains("--token-kinds is 0. Give a whole");
    assertThat(refused(MIXTURE + "--token-kinds 321")).contains("from 1 to 320");
  }

  @Test
  void peopleSeeNoJsonAndTheMedianOfTwoStepsLiesBetweenThem() {
    String line = MIXTURE.replace("tiny-moe", "tiny-llama") + "--mesh data=2";
    assertThat(printed(line))
        .containsPattern("\\nexposed_ms +world [0-9.]+\\n")
        .containsPattern("\\nlosses +[0-9]+[.][0-9]{4}, [0-9]+[.][0-9]{4}\\n")
        .doesNotContain("{", "[");
    JsonNode report = json(line);
    assertThat(report.get("losses").isArray()).isTrue();
    assertThat(report.get("step_ms").asDouble())
        .isCloseTo(
            (report.get("step_ms_fastest").asDouble() + report.get("step_ms_slowest").asDouble())
                / 2,
            within(0.011));
  }

  @Test
  void aProfileOfRanksHasTheTotalsOfThatOfOne(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("run.yaml"),
            """
            model: {preset: tiny-llama}
            device: cpu
            data: {sources: [jdk:src], sequence_length: 32}
            training: {tokens_per_step: 64, micro_batch: 1, steps: 1}
            """);
    String line = "profile " + file + " --steps 1 --trace " + folder.resolve("trace.json");
    for (String mesh : new String[] {"", " --set parallel.data=2"}) {
      assertThat(printed(line + mesh))
          .containsPattern("device: products [0-9.]+ TFLOP/s, copies [0-9.]+ TB/s")
          .contains("everything else: batches", "the step: roofline utilisation")
          .containsPattern("MFU [0-9.]+ %");
      JsonNode report = json(line + mesh);
      assertThat(report.get("mfu").asDouble()).isPositive();
      assertThat(report.get("mfu_against").asString()).contains("GFLOP/s a rank");
      assertThat(report.get("copy_bytes_per_second").asDouble()).isPositive();
      assertThat(report.get("gemm_flops_per_second").asDouble()).isPositive();
      JsonNode of = mesh.isEmpty() ? report : report.get("by_rank").get(1);
      assertThat(of.get("rest_ms").asDouble()).isNotNegative();
    }
  }

  @Test
  void aStepThatIsNotTakenIsPlannedFromAProfile() {
    String line =
        "bench train --device meta --model deepseek-v2-lite --shape num_hidden_layers=3 --batch 1"
            + " --mesh data=2,expert=2 --profile ";
    Path profiles = Path.of(System.getProperty("duoka.repository"), "bench/profiles");
    Path four = profiles.resolve("2026-11-29-four-h200.json");
    JsonNode report = json(line + four);
    assertThat(report.get("predicted_step_ms").asDouble()).isPositive();
    assertThat(report.get("predicted_by").asString()).contains("H200");
    assertThat(report.has("prediction_error_percent")).isFalse();
    assertThat(refused(line.replace("data=2,expert=2", "data=8") + four))
        .contains("--profile is of 4 cards, but the mesh has 8 ranks");
    assertThat(refused(MIXTURE + "--profile " + four))
        .contains("but the step is taken on this machine");
    assertThat(refused(line + profiles.resolve("none.json"))).contains("cannot read the machine");
  }

  @Test
  void aStepThatIsNotTakenIsPlannedForAMachineOfTheCatalogue() {
    String line =
        "bench train --device meta --model deepseek-v2-lite --shape num_hidden_layers=3 --batch 1"
            + " --mesh data=2,expert=2 --machine ";
    JsonNode slow = json(line + "2xRTX4090");
    JsonNode fast = json(line + "2xH200-141G-SXM");
    assertThat(slow.get("predicted_step_ms").asDouble())
        .isGreaterThan(fast.get("predicted_step_ms").asDouble());
    assertThat(fast.get("predicted_by").asString()).isEqualTo("the planner for 2xH200-141G-SXM");
    assertThat(refused(line.replace("data=2,expert=2", "data=4") + "2xRTX4090"))
        .contains("--machine is of 2 cards, but the mesh has 4 ranks");
    assertThat(refused(MIXTURE + "--machine 2xRTX4090"))
        .contains("but the step is taken on this machine");
    Path one =
        Path.of(System.getProperty("duoka.repository"), "bench/profiles/2026-11-29-two-h200.json");
    assertThat(refused(line + "2xRTX4090 --profile " + one)).contains("--profile says which");
  }

  @Test
  void anAxisThatIsGivenTwiceIsRefused() {
    for (String mesh :
        new String[] {"data=2,data=4", "data=2,collectives=auto --collectives copies"}) {
      assertThat(refused(MIXTURE + "--mesh " + mesh)).contains("is given twice");
    }
  }

  @Test
  void statesApartInHostMemoryAreForDevicesOfTheirOwn() {
    for (String update : new String[] {"", " --offload-update host"}) {
      assertThat(refused(MIXTURE + "--offload optimizer" + update))
          .contains("--offload is optimizer, but device is cpu: states are in host memory already");
      printed(MIXTURE.replace("cpu", "meta") + "--offload optimizer" + update);
    }
    assertThat(refused("bench memory --model tiny-llama --device cpu --offload optimizer"))
        .contains("--offload is optimizer, but device is cpu");
  }

  @Test
  void aDenseModelHasNoLoadOfExperts() {
    String dense = MIXTURE.replace("tiny-moe", "tiny-llama");
    assertThat(printed(dense)).doesNotContain("expert_load");
    assertThat(printed(MIXTURE.replace("cpu", "meta"))).doesNotContain("expert_load");
  }

  @Test
  void dispatchSaysItsBytesWithAndWithoutCopies() {
    String line = "bench dispatch --device cpu --model tiny-moe --tokens 16";
    assertThat(printed(line)).containsPattern("moved GB/s +copies +needed +moved\n");
    JsonNode first = json(line).get("dispatches").get(0);
    assertThat(first.get("copies_bytes").asDouble())
        .isGreaterThanOrEqualTo(first.get("needed_bytes").asDouble());
  }
}
