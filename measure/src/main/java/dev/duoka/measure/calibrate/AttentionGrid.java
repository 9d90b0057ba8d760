package dev.duoka.measure.calibrate;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.hardware.AttentionSample;
import dev.duoka.measure.kernel.ProductTimer;
import dev.duoka.tensor.Device;
import java.util.ArrayList;
import java.util.List;

/** Times attention by heads, length and widths. */
final class AttentionGrid {
  /** Heads of one sequence; more are more sequences, as long as there are so many. */
  private static final long HEADS = 8;

  private final CalibrationGrid grid;
  private final ProductTimer timer;

  AttentionGrid(Device device, CalibrationGrid grid) {
    this.grid = grid;
    timer = new ProductTimer(device);
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
