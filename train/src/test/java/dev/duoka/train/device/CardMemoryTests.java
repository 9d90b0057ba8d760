package dev.duoka.train.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Segments;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class CardMemoryTests {
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
  void segmentsGrowWhereTensorsOfOtherSizesComeAndGo() {
    ModelConfig dense = Presets.named("deepseek-coder-1.3b");
    assertThat(CardMemory.segments(dense)).isEqualTo(Segments.FIXED);
    assertThat(CardMemory.segments(dense.with(ADAPTER))).isEqualTo(Segments.GROWING);
    assertThat(CardMemory.segments(Presets.named("deepseek-v2-lite"))).isEqualTo(Segments.GROWING);
  }
}
