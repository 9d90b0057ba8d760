package dev.duoka.machine.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.json.Json;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class PlacementTests {
  private static Topology pairs(String inside, String outside, String names) {
    StringBuilder text =
        new StringBuilder(names).append("\tGPU0\tGPU1\tGPU2\tGPU3\tCPU Affinity\n");
    for (int i = 0; i < 4; i++) {
      text.append("GPU").append(i);
      for (int j = 0; j < 4; j++) {
        text.append('\t').append(i == j ? "X" : i / 2 == j / 2 ? inside : outside);
      }
      text.append("\t0-3\n");
    }
    return TopologyReader.read(text.toString(), "made up");
  }

  @Test
  void bridgedPairsKeepTensorParallelismInside() {
    Placement placement = Placement.of(pairs("NV4", "SYS", ""));
    assertThat(placement.nvlinkGroups()).isEqualTo(List.of(List.of(0, 1), List.of(2, 3)));
    assertThat(placement.tensorDegree()).isEqualTo(2);
    assertThat(placement.pipelineStages()).hasSize(2);
  }

  private static Topology all(String cell, int gpus, String name) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < gpus; i++) {
      text.append("GPU " + i + ": " + name + " (UUID: x)\n");
    }
    text.append("\tGPU0");
    for (int i = 1; i < gpus; i++) {
      text.append("\tGPU" + i);
    }
    for (int i = 0; i < gpus; i++) {
      text.append("\nGPU" + i);
      for (int j = 0; j < gpus; j++) {
        text.append("\t" + (i == j ? "X" : cell));
      }
    }
    return TopologyReader.read(text + "\n", "made up");
  }

  @Test
  void moreLinksThanACardHasAreASwitch() {
    String v100 = "Tesla V100-SXM2-16GB";
    assertThat(all("NV18", 4, "NVIDIA H100 80GB HBM3").nvSwitches())
        .isEqualTo(List.of(List.of(0, 1, 2, 3)));
    assertThat(all("NV6", 4, "NVIDIA H100 80GB HBM3").nvSwitches()).as("18 of 18").isEmpty();
    assertThat(all("NV2", 4, v100).nvSwitches()).as("6 of 6").isEmpty();
    assertThat(all("NV6", 16, v100).nvSwitches()).as("a DGX-2").hasSize(1);
    assertThat(pairs("NV4", "SYS", "").nvSwitches()).isEmpty();
  }

  @Test
  void withoutNvlinkNothingIsSplitWithinALayer() {
    Placement placement = Placement.of(pairs("PIX", "SYS", ""));
    assertThat(placement.tensorDegree()).isEqualTo(1);
    assertThat(placement.reasons().getFirst()).startsWith("No NVLink");
    assertThat(placement.reasons().get(1)).contains("[0, 1], [2, 3]");
  }

  @Test
  void bandwidthIsExactForAKnownGpu() {
    StringBuilder names = new StringBuilder();
    for (int i = 0; i < 4; i++) {
      names.append("GPU ").append(i).append(": NVIDIA RTX A6000 (UUID: x)\n");
    }
    Bandwidth known =
        Bandwidths.expected(pairs("NV4", "PIX", names.toString()), 0, 1).orElseThrow();
    assertThat(known.low()).isEqualTo(56.25).isEqualTo(known.high());
    assertThat(known.assumed()).isFalse();
    Bandwidth unknown = Bandwidths.expected(pairs("NV4", "PIX", ""), 0, 1).orElseThrow();
    assertThat(unknown.low()).isEqualTo(56.25);
    assertThat(unknown.high()).isEqualTo(100);
    assertThat(unknown.assumed()).isTrue();
    Bandwidth pcie = Bandwidths.expected(pairs("NV4", "PIX", names.toString()), 0, 2).orElseThrow();
    assertThat(pcie.low()).isBetween(20.0, 28.0);
  }

  @Test
  void everyGpuHasOnePlaceWhateverTheMachine() {
    for (int seed = 0; seed < 200; seed++) {
      MadeUpMachine machine = MadeUpMachine.of(new Random(seed));
      Topology topology = TopologyReader.read(machine.text(), "made up");
      Placement placement = Placement.of(topology);
      assertThat(placement.rankOrder()).hasSize(machine.gpus).doesNotHaveDuplicates();
      for (List<Integer> group : placement.tensorGroups()) {
        for (int a : group) {
          for (int b : group) {
            assertThat(a >= b || topology.link(a, b).orElseThrow().isNvlink()).isTrue();
          }
        }
      }
      JsonNode json = TopologyJson.of(topology);
      assertThat(json.get("gpus").intValue()).isEqualTo(machine.gpus);
      assertThat(json.get("links").size()).isEqualTo(topology.links().size());
      assertThat(Json.line(json)).startsWith("{\"gpus\":");
      assertThat(TerminalDrawing.of(topology)).contains("Placement");
      assertThat(SvgDrawing.of(topology))
          .startsWith("<svg ")
          .endsWith("</svg>\n")
          .doesNotContain("null");
    }
  }
}
