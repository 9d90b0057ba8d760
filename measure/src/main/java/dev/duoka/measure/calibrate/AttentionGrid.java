package dev.duoka.measure.calibrate;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.hardware.profile.AttentionSample;
import dev.duoka.hardware.profile.AttentionTable;
import dev.duoka.measure.kernel.ProductTimer;
import dev.duoka.measure.kernel.StepLoad;
import dev.duoka.tensor.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Times attention by heads, length and widths. */
final class AttentionGrid {
  /** Heads of one sequence; more are more sequences, as long as there are so many. */
  private static final long HEADS = 8;

  private final CalibrationGrid grid;
  private final ProductTimer timer;

  AttentionGrid(Device device, CalibrationGrid grid, @Nullable StepLoad load) {
    this.grid = grid;
    timer = new ProductTimer(device, load);
  }

  List<AttentionSample> measure(Calibration.Progress progress) {
    List<AttentionSample> samples = new ArrayList<>();
    int all = grid.headWidths().size() * grid.lengths().size() * grid.heads().size();
    for (List<Long> widths : grid.headWidths()) {
      for (long length : grid.lengths()) {
        for (long heads : grid.heads()) {
          progress.reached("attention", samples.size(), all);
          samples.add(sample(heads, length, widths.getFirst(), widths.getLast()));
        }
      }
    }
    return samples;
  }

  /**
   * Samples as they are in a step: the same attention takes longer there than between products
   * alone, by a factor that was seen there.
   *
   * @param seen seconds of attention in steps
   */
  static List<AttentionSample> inSteps(List<AttentionSample> samples, Map<Product, Double> seen) {
    AttentionTable table = new AttentionTable(samples);
    double[] forward = {0, 0};
    double[] backward = {0, 0};
    seen.forEach(
        (product, seconds) -> {
          if (product.shape() instanceof ProductShape.Attention it) {
            boolean isForward = product.phase() == Phase.FORWARD;
            double heads = (double) it.batch() * it.heads();
            double[] sums = isForward ? forward : backward;
            sums[0] += seconds;
            sums[1] +=
                table.seconds(
                    isForward,
                    heads * it.length() * it.keys() * (it.width() + it.valueWidth()),
                    heads,
                    it.length(),
                    it.width(),
                    it.valueWidth());
          }
        });
    double forwardFactor = forward[1] > 0 ? Math.max(1, forward[0] / forward[1]) : 1;
    double backwardFactor = backward[1] > 0 ? Math.max(1, backward[0] / backward[1]) : 1;
    return samples.stream()
        .map(
            it ->
                new AttentionSample(
                    it.heads(),
                    it.length(),
                    it.width(),
                    it.valueWidth(),
                    it.forward() * forwardFactor,
                    it.backward() * backwardFactor))
        .toList();
  }

  private AttentionSample sample(long heads, long length, long width, long valueWidth) {
    long each = Math.min(heads, HEADS);
    ProductShape shape =
        new ProductShape.Attention(
            grid.dtype(), heads / each, each, each, length, length, width, valueWidth);
    return new AttentionSample(
        heads,
        length,
        width,
        valueWidth,
        timer.seconds(new Product(shape, Phase.FORWARD)),
        timer.seconds(new Product(shape, Phase.INPUT_GRADIENTS)));
  }
}
