package dev.duoka.machine.topology;

import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Every labelled real matrix is read as its label says. */
class TopologyCorpusTests {
  @Test
  void labelledMatricesAreRight() throws IOException {
    Path folder = CorpusFolder.find("topo");
    SoftAssertions softly = new SoftAssertions();
    for (String line : Files.readAllLines(folder.resolve("labels.jsonl"))) {
      JsonNode label =
          Json.parse(line.getBytes(StandardCharsets.UTF_8), "labels.jsonl", ErrorCode.DATA);
      String file = label.get("file").stringValue();
      String text = Files.readString(folder.resolve(file));
      Topology topology = TopologyReader.read(text, file);
      softly.assertThat(topology.gpus()).as(file).hasSize(label.get("gpus").intValue());
      softly
          .assertThat(topology.nvlinkDomains().toString().replace(" ", ""))
          .as(file)
          .isEqualTo(label.get("nvlink_groups").toString());
      var links = new TreeMap<String, String>();
      topology.links().forEach((pair, link) -> links.put(pair.toString(), link.label()));
      var wanted = new TreeMap<String, String>();
      label
          .get("pair_links")
          .properties()
          .forEach(e -> wanted.put(e.getKey(), e.getValue().stringValue()));
      softly.assertThat(links).as(file).isEqualTo(wanted);
      for (Gpu gpu : topology.gpus()) {
        JsonNode numa = label.get("numa").get(Integer.toString(gpu.index()));
        softly
            .assertThat(gpu.numaNode().isPresent() ? gpu.numaNode().getAsInt() : -1)
            .as(file + " NUMA node of GPU " + gpu.index())
            .isEqualTo(numa.isNull() ? -1 : numa.intValue());
      }
      softly
          .assertThat(topology.nics().stream().map(Nic::text).toList())
          .as(file)
          .containsExactlyElementsOf(
              label.get("nics").valueStream().map(JsonNode::stringValue).toList());
    }
    softly.assertAll();
  }
}
