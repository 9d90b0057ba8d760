package dev.duoka.train.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class SegmentsTests {
  private static final AdapterConfig ADAPTER =
      new AdapterConfig(
          4,
          8,
          0,
          false,
          false,
          NamePatterns.of(NamePatterns.ALL_LINEAR),
          NamePatterns.NONE,
          List.of(),
          List.of(),
          Map.of(),
          Map.of(),
          List.of(),
          BaseForm.NF4);

  @Test
  void growWhereTensorsOfOtherSizesComeAndGo() {
    ModelConfig dense = Presets.named("deepseek-coder-1.3b");
    assertThat(Segments.areToGrow(dense)).isFalse();
    assertThat(Segments.areToGrow(dense.with(ADAPTER))).isTrue();
    assertThat(Segments.areToGrow(Presets.named("deepseek-v2-lite"))).isTrue();
  }
}
