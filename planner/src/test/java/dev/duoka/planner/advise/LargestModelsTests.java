package dev.duoka.planner.advise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.base.Progress;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.hardware.Catalogue;
import dev.duoka.layout.Offload;
import dev.duoka.planner.report.LargestModelsText;
import dev.duoka.planner.shape.ModelShape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class LargestModelsTests {
  private static final int SEQUENCE = 4096;

  private final Catalogue catalogue = Catalogue.builtIn();
  private final LargestModels models = new LargestModels(catalogue);

  private List<LargestModel> of(String machine) {
    return models.of(List.of(catalogue.machine(machine)), SEQUENCE, Task.PRETRAIN, Progress.NONE);
  }

  private static long parameters(LargestModel one) {
    return ModelShape.of(Presets.named(one.model())).parameters();
  }

  /** The committed page says of a machine of each kind what is found now. */
  @Test
  void thePageSaysSo() throws IOException {
    Path page = Path.of(System.getProperty("duoka.repository"), "docs", "largest-models.md");
    String text = Files.readString(page);
    List<LargestModel> found =
        Stream.of("1xRTX-4090-24G", "2xL40S-48G", "1xH100-80G-SXM")
            .flatMap(name -> of(name).stream())
            .toList();
    assertThat(found).hasSize(6);
    LargestModelsText.markdown(found, SEQUENCE)
        .lines()
        .filter(line -> line.matches("\\| [12]x.*"))
        .forEach(line -> assertThat(text).contains(line + "\n"));
    assertThat(text.lines().filter(line -> line.matches("\\| [1248]x.*")).count())
        .as("four cards, four counts, two homes")
        .isEqualTo(32);
  }

  @Test
  void statesInHostMemoryMakeRoomForLargerModels() {
    List<LargestModel> two = of("2xRTX-3090-24G");
    LargestModel onCards = two.getFirst();
    LargestModel onHost = two.getLast();
    assertThat(onCards.plan().orElseThrow().layout().offload()).isEqualTo(Offload.NONE);
    assertThat(onCards.plan().orElseThrow().memory().total())
        .isLessThan(catalogue.machine("2xRTX-3090-24G").card().memoryGib() * (1L << 30));
    assertThat(parameters(onHost)).isGreaterThanOrEqualTo(parameters(onCards));
    assertThat(onHost.plan().orElseThrow().runnable()).isTrue();
  }

  @Test
  void aCardThatHoldsNoneSaysSo() {
    List<LargestModel> none = of("1xTITAN-V-12G");
    assertThat(none.getFirst().plan()).as("on the card alone").isEmpty();
    assertThat(LargestModelsText.of(none, SEQUENCE)).contains("none fits");
    assertThat(LargestModelsText.json(none).get(0).path("plan").isNull()).isTrue();
  }
}
