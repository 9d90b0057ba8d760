package dev.duoka.measure.calibrate;

import dev.duoka.engine.autograd.FunctionObserver.Phase;
import dev.duoka.engine.autograd.Product;
import dev.duoka.engine.autograd.ProductShape;
import dev.duoka.hardware.NumberFormat;
import dev.duoka.hardware.ProductSample;
import dev.duoka.measure.kernel.ProductTimer;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.QuantizeKernel;
import dev.duoka.tensor.op.Tensors;
import java.util.ArrayList;
import java.util.List;

/** Times the products of a grid of shapes, each alone. */
final class ProductGrid {
  /** The smallest side of a product in 8 bits that is worth a sample. */
  private static final long LEAST_OF_EIGHT_BITS = 2048;

  private final CalibrationGrid grid;
  private final Device device;
  private final ProductTimer timer;

  ProductGrid(Device device, CalibrationGrid grid) {
    this.device = device;
    this.grid = grid;
    timer = new ProductTimer(device);
  }

  /** Plain products. */
  List<ProductSample> plain(NumberFormat format, Calibration.Progress progress) {
    List<ProductShape> shapes = new ArrayList<>();
    for (long rows : grid.rows()) {
      for (long in : grid.widths()) {
        for (long out : grid.outputs()) {
          shapes.add(new ProductShape.Linear(grid.dtype(), false, rows, in, out));
        }
      }
    }
    return samples(format, "products", shapes, progress);
  }

  /** Products of experts. */
  List<ProductSample> grouped(NumberFormat format, Calibration.Progress progress) {
    List<ProductShape> shapes = new ArrayList<>();
    for (int groups : grid.groups()) {
      for (long rows : grid.rowsOfGroup()) {
        for (long in : grid.groupWidths()) {
          for (long out : grid.groupWidths()) {
            shapes.add(new ProductShape.Grouped(grid.dtype(), rows * groups, in, out, groups));
          }
        }
      }
    }
    return samples(format, "grouped products", shapes, progress);
  }

  /** Whether the device multiplies in 8 bits with scales. */
  boolean hasEightBits() {
    try (Scope _ = Scope.open()) {
      Tensor square = Tensors.zeros(Dtype.BFLOAT16, device, 128, 128);
      return device.isCuda() && QuantizeKernel.take(square);
    }
  }

  /** Products in 8 bits. */
  List<ProductSample> eightBits(Calibration.Progress progress) {
    List<ProductShape> shapes = new ArrayList<>();
    for (long rows : large(grid.rows())) {
      for (long in : large(grid.widths())) {
        for (long out : large(grid.widths())) {
          shapes.add(new ProductShape.Linear(grid.dtype(), true, rows, in, out));
        }
      }
    }
    return samples(NumberFormat.FP8, "products in 8 bits", shapes, progress);
  }

  private static List<Long> large(List<Long> sides) {
    return sides.stream().filter(side -> side >= LEAST_OF_EIGHT_BITS).toList();
  }

  private List<ProductSample> samples(
      NumberFormat format, String what, List<ProductShape> shapes, Calibration.Progress progress) {
    List<ProductSample> samples = new ArrayList<>();
    for (ProductShape shape : shapes) {
      progress.reached(what, samples.size(), shapes.size());
      samples.add(sample(format, shape));
    }
    return samples;
  }

  private ProductSample sample(NumberFormat format, ProductShape shape) {
    double forward = timer.seconds(new Product(shape, Phase.FORWARD));
    double inputs = timer.seconds(new Product(shape, Phase.INPUT_GRADIENTS));
    double weights = timer.seconds(new Product(shape, Phase.WEIGHT_GRADIENTS));
    return switch (shape) {
      case ProductShape.Linear it ->
          new ProductSample(format, 0, it.rows(), it.in(), it.out(), forward, inputs, weights);
      case ProductShape.Grouped it ->
          new ProductSample(
              format, it.groups(), it.rows(), it.in(), it.out(), forward, inputs, weights);
      case ProductShape.Head _, ProductShape.Attention _ ->
          throw new IllegalArgumentException("no sample of " + shape);
    };
  }
}
