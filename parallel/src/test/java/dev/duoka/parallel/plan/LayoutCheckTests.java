package dev.duoka.parallel.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.PipelineKind;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class LayoutCheckTests {
  /** 4 layers, 4 heads, 8 experts. */
  private static final ModelConfig MODEL = Presets.named("tiny-v3");

  private static final int LENGTH = 64;

  private static Layout layout(int tensor, int pipeline, int expert, int context) {
    return new Layout(
        2,
        tensor,
        pipeline,
        expert,
        context,
        0,
        4,
        4,
        Recompute.NONE,
        Offload.NONE,
        LossKind.CHUNKED,
        Precision.BF16,
        Method.FULL);
  }

  private static List<LayoutCheck.Misfit> of(Layout layout, int stagesPerRank) {
    PipelineKind kind = stagesPerRank == 1 ? PipelineKind.ONE_F_ONE_B : PipelineKind.INTERLEAVED;
    Layout ordered = layout.with(new PipelineOrder(kind, stagesPerRank));
    return LayoutCheck.of(MODEL, ordered, LENGTH, OptionalInt.empty(), List.of());
  }

  @Test
  void headsThatDoNotDivideNameTheNearestThatDo() {
    assertThat(of(layout(3, 1, 1, 1), 1))
        .singleElement()
        .satisfies(it -> assertThat(it.problem()).contains("tensor is 3", "4 heads do not divide"))
        .satisfies(it -> assertThat(it.remedy()).isEqualTo("Nearest valid: 2 or 4"));
  }

  @Test
  void moreStagesThanLayersNameAsManyAsThereAre() {
    assertThat(of(layout(1, 6, 1, 1), 1))
        .singleElement()
        .satisfies(it -> assertThat(it.problem()).contains("4 layers for 6 stages"))
        .satisfies(it -> assertThat(it.remedy()).isEqualTo("Nearest valid: 4"));
  }

  @Test
  void expertsNameWhatBothExpertsAndRanksDivideBy() {
    assertThat(of(layout(2, 1, 3, 1), 1).getFirst().remedy()).isEqualTo("Nearest valid: 2 or 4");
    assertThat(of(layout(2, 1, 8, 1), 1).getFirst().remedy()).isEqualTo("Nearest valid: 4");
  }

  @Test
  void sequencesThatAreTooShortNameTheLength() {
    assertThat(of(layout(1, 1, 1, 64), 1).getFirst().remedy())
        .isEqualTo("Nearest valid: 32, or data.sequence_length 128");
  }

  @Test
  void roundsOfMicroBatchesNameHowMany() {
    assertThat(of(layout(1, 2, 1, 1), 2)).isEmpty();
    Layout three = layout(1, 3, 1, 1);
    assertThat(of(three, 1)).isEmpty();
    assertThat(of(three, 2))
        .extracting(LayoutCheck.Misfit::remedy)
        .anyMatch(it -> it.startsWith("Nearest valid: 3 or 6 micro-batches"));
  }

  /** What is nearest on each axis need not go together: what is named for all of them does. */
  @Test
  void whereSeveralAxesDoNotFitALayoutThatRunsIsNamed() {
    List<LayoutCheck.Misfit> misfits = of(layout(8, 8, 3, 5), 1);
    assertThat(misfits).hasSizeGreaterThan(2);
    assertThat(misfits.getFirst().remedy())
        .endsWith("; all together {tensor: 4, pipeline: 4, expert: 4, context: 4}");
    assertThat(
            LayoutCheck.allows(MODEL, layout(4, 4, 4, 4), LENGTH, OptionalInt.empty(), List.of()))
        .isTrue();
    assertThat(
            LayoutCheck.allows(MODEL, layout(8, 8, 3, 5), LENGTH, OptionalInt.empty(), List.of()))
        .isFalse();
  }
}
