package dev.duoka.hardware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.yaml.YamlData;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CatalogueTests {
  private final Catalogue catalogue = Catalogue.builtIn();

  @ParameterizedTest
  @CsvSource({
    "8xA100-80G-SXM, 8xA100-80G-SXM",
    "4xRTX4090, 4xRTX-4090-24G",
    "8 × NVIDIA A100-SXM4-80GB, 8xA100-80G-SXM",
    "2 x geforce rtx 3090, 2xRTX-3090-24G",
    "H100, 1xH100-80G-SXM",
    "4xNVIDIA H100 80GB HBM3, 4xH100-80G-SXM",
    "4x a100 pcie, 4xA100-80G-PCIe",
    "8*b200, 8xB200-180G-SXM",
    "2xNVIDIA RTX 6000 Ada Generation, 2xRTX-6000-Ada-48G",
    "1xTesla V100-SXM2-16GB, 1xV100-16G-SXM",
    "L40S, 1xL40S-48G"
  })
  void machineNamesAreForgiven(String written, String name) {
    assertThat(catalogue.machine(written).name()).isEqualTo(name);
  }

  @ParameterizedTest
  @CsvSource({
    "8xB2000, Did you mean 'B200'?",
    "8xA100-40G, could be A100-40G-SXM or A100-40G-PCIe",
    "0xA100, 1 to 8 GPUs",
    "16xH100, 1 to 8 GPUs",
    "64xRTX4090, 1 to 16 GPUs",
    "32xV100, 1 to 16 GPUs",
    "99999999999999999999xA100, 1 to 8 GPUs",
    "8x, the catalogue has no card",
    "Voodoo 2, for example P100-16G-SXM"
  })
  void wrongNamesGetOneClearMessage(String written, String message) {
    assertThatThrownBy(() -> catalogue.machine(written))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining(message);
  }

  @Test
  void everyCardIsPlausible() {
    assertThat(catalogue.cards()).hasSizeGreaterThan(20);
    for (Card card : catalogue.cards()) {
      assertThat(catalogue.card(card.name())).isEqualTo(card);
      assertThat(card.peak(card.halfPrecision())).as(card.name()).isBetween(15e12, 3e15);
      assertThat(card.peak(NumberFormat.FP32)).isLessThanOrEqualTo(card.peak(NumberFormat.FP16));
      assertThat(card.memoryGib()).isBetween(10.0, 300.0);
      assertThat(card.achievable().source()).as(card.name()).isNotBlank();
      for (String alias : card.aliases()) {
        assertThat(catalogue.card(alias).name()).as(alias).isEqualTo(card.name());
      }
    }
  }

  @Test
  void geforceRatesAreThoseWithFp32Accumulation() {
    assertThat(catalogue.card("RTX 4090").peak(NumberFormat.BF16)).isEqualTo(165.2e12);
    assertThat(catalogue.card("RTX 3090").peak(NumberFormat.BF16)).isEqualTo(71e12);
    assertThat(catalogue.card("V100").has(NumberFormat.BF16)).isFalse();
    assertThat(catalogue.card("V100").halfPrecision()).isEqualTo(NumberFormat.FP16);
  }

  @Test
  void usersFilesReplaceFieldsAndAddCards() {
    Catalogue overlaid =
        Catalogue.overlaidBy(
            YamlData.parse(
                """
                cards:
                  - name: RTX-4090-24G
                    rent: [{usd: 9.5, date: "2030-01", source: us}]
                    peak_tflops: {bf16: 200}
                  - name: Mine
                    compute_capability: "9.9"
                    memory_gib: 40
                    memory_gbs: 1000
                    peak_tflops: {fp16: 100, bf16: 100, fp32: 50}
                    achievable: {gemm: 0.8, grouped: 0.6, attention_forward: 0.5, attention_backward: 0.4, memory: 0.9}
                    pcie: {generation: 5, each_way_gbs: 60}
                    tdp_watts: 100
                    sms: 10
                    source: us
                """,
                "mine.yaml"));
    Card card = overlaid.card("RTX 4090");
    assertThat(card.rentPrice().orElseThrow().usd()).isEqualTo(9.5);
    assertThat(card.peak(NumberFormat.BF16)).isEqualTo(200e12);
    assertThat(card.peak(NumberFormat.FP16)).isEqualTo(165.2e12);
    assertThat(card.memoryGbs()).isEqualTo(1008);
    assertThat(overlaid.machine("2xmine").gpus()).isEqualTo(2);
    assertThat(overlaid.cards()).hasSize(Catalogue.builtIn().cards().size() + 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cards: [{name: RTX-4090-24G, memory_gib: -1}]",
        "cards: [{name: RTX-4090-24G, memry_gib: 24}]",
        "cards: [{name: RTX-4090-24G, nvlink: {kind: rope, each_way_gbs: 1}}]",
        "cards: [{name: New}]",
        "cards: [{memory_gib: 24}]",
        "cards: 3",
        "cards: [{name: RTX-4090-24G, pcie: {generation: 9}}]",
        "cards: [{name: RTX-4090-24G, nvlink: {kind: bridge, links: 4}}]",
        "product_lines: []",
        "crads: []",
        "collectives: [{cards: [L4-24G], link: bridge, gpus: 1, all_reduce: 5, source: x}]",
        "- a"
      })
  void wrongFilesAreRefused(String yaml) {
    assertThatThrownBy(() -> Catalogue.overlaidBy(YamlData.parse(yaml, "mine.yaml")))
        .isInstanceOf(DuokaException.class)
        .hasMessageContaining("mine.yaml");
  }

  @Test
  void anyTextIsAMachineOrOneError() {
    Random random = new Random(7);
    String alphabet = "0123456789xX×*A100-80GSXMpcie H rtx\0\n\u00e9";
    for (int i = 0; i < 2_000; i++) {
      StringBuilder name = new StringBuilder();
      int length = random.nextInt(24);
      for (int k = 0; k < length; k++) {
        name.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      try {
        assertThat(catalogue.machine(name.toString()).gpus()).isBetween(1, 16);
      } catch (DuokaException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }

  @Test
  void anyCatalogueFileIsReadOrOneError() {
    Random random = new Random(8);
    String good =
        "cards:\n  - name: L4-24G\n    memory_gib: 22\n    rent: [{usd: 1, date: \"2026-01\","
            + " source: us}]\ncollectives:\n  - {cards: [L4-24G], link: pcie-p2p, gpus: 4,"
            + " all_reduce: 9, source: us}\n";
    for (int i = 0; i < 200; i++) {
      StringBuilder text = new StringBuilder(good);
      for (int k = 0; k <= random.nextInt(4); k++) {
        int at = random.nextInt(text.length());
        text.setCharAt(at, (char) (32 + random.nextInt(95)));
      }
      try {
        assertThat(Catalogue.overlaidBy(YamlData.parse(text.toString(), "mine.yaml")).cards())
            .isNotEmpty();
      } catch (DuokaException e) {
        assertThat(e.getMessage()).isNotBlank();
      }
    }
  }
}
