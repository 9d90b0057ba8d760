package dev.duoka.parallel.dryrun;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class StepPartsTests {
  private static final int LENGTH = 4096;

  /** On one of four ranks that share a sequence attention has a quarter of the work of one rank. */
  @ParameterizedTest
  @EnumSource(
      value = Phase.class,
      names = {"FORWARD", "INPUT_GRADIENTS"})
  void attentionOfARingHasTheKeysOfAllRanks(Phase phase) {
    List<StepParts.Part> alone = attention(1, phase);
    List<StepParts.Part> ring = attention(4, phase);
    assertThat(ring).hasSameSizeAs(alone).isNotEmpty();
    for (int i = 0; i < ring.size(); i++) {
      assertThat(ring.get(i).work().flops()).isEqualTo(alone.get(i).work().flops() / 4);
      assertThat(pairs(ring.get(i)))
          .as("by which it is priced")
          .isEqualTo(pairs(alone.get(i)) / 4)
          .isEqualTo((double) LENGTH / 4 * LENGTH);
      assertThat(alone.get(i).work().beside()).isZero();
      // Of keys, values and results of 2048 elements a token each that several times.
      double tensor = 4.0 * LENGTH / 4 * 2048;
      assertThat(ring.get(i).work().beside()).isBetween(20 * tensor, 80 * tensor);
    }
  }

  private static double pairs(StepParts.Part part) {
    Product product = part.work().product();
    return product != null && product.shape() instanceof ProductShape.Attention it
        ? (double) it.length() * it.keys()
        : 0;
  }

  private static List<StepParts.Part> attention(int context, Phase phase) {
    Layout layout =
        new Layout(
            1,
            1,
            1,
            1,
            context,
            0,
            1,
            1,
            Recompute.NONE,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.BF16,
            Method.FULL);
    DryRunJob job =
        DryRunJob.of(Presets.named("deepseek-coder-1.3b").with(2, null, 0), layout, LENGTH);
    return DryRunDevice.of(Device.cuda(0), () -> StepParts.of(job)).stream()
        .filter(part -> part.phase() == phase && part.kind().equals("attention"))
        .toList();
  }
}
