package dev.duoka.verify.parity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The engine against transformers' own numbers, in fp32 on the CPU, by the rule of {@link
 * ParityCheck}: the optimizer steps of two goldens are at a fork of rounding, which falls one way
 * or the other with the CPU.
 */
class GoldenParityTests {
  private static final double TOLERANCE = 1e-4;

  @ParameterizedTest
  @ValueSource(strings = {"llama-gqa-lora", "llama-gqa-dora", "v2-lite-lora", "v3-rslora"})
  void matchesPeft(String golden) {
    Path folder = Path.of(System.getProperty("duoka.repository"), "golden", golden);
    List<ParityResult> results = ParityCheck.run(folder, Device.CPU, TOLERANCE);
    assertThat(results)
        .extracting(ParityResult::name)
        .contains("logits", "merged_after.model.layers.1.self_attn.o_proj.weight")
        .filteredOn(name -> name.startsWith("grad.") && name.contains(".lora_"))
        .hasSizeGreaterThan(20);
    assertThat(results)
        .allSatisfy(result -> assertThat(result.within(TOLERANCE)).as(result.toString()).isTrue());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-gqa",
        "llama-mha-scaled",
        "llama3",
        "qwen2",
        "qwen3",
        "v2-lite",
        "v2-group",
        "v3",
        "v3-yarn"
      })
  void matchesTransformers(String golden) {
    Path folder = Path.of(System.getProperty("duoka.repository"), "golden", golden);
    List<ParityResult> results = ParityCheck.run(folder, Device.CPU, TOLERANCE);
    assertThat(results).hasSizeGreaterThan(20);
    assertThat(results)
        .allSatisfy(result -> assertThat(result.within(TOLERANCE)).as(result.toString()).isTrue());
    assertThat(results)
        .filteredOn(result -> result.runs() > 1)
        .extracting(ParityResult::name)
        .isSubsetOf("adamw_losses", "grad_norms");
  }
}
