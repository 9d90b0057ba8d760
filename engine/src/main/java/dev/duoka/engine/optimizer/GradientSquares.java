package dev.duoka.engine.optimizer;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ExtremesKernel;
import dev.duoka.tensor.kernel.HostSquares;
import dev.duoka.tensor.kernel.SquaresKernel;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Reductions;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The sum of squares of each parameter's gradient, in fp64, and its extremes, from flat slices of
 * gradients that may hold a part of a parameter only. The squared norm is their sum in the order of
 * the parameters' names, so it does not depend on how the parameters lie in memory.
 *
 * <p>Owns its tables; one thread. Launches asynchronously and never waits for the device.
 */
public final class GradientSquares implements AutoCloseable {
  /** Elements that are squared at once without kernels; bounds the fp64 copy of them. */
  private static final long CHUNK = 1 << 20;

  /**
   * What a slice holds of a parameter.
   *
   * @param parameter its place in the order of the names
   * @param start where it starts within the slice, in elements
   * @param elements how many, padding left out
   */
  public record Piece(int parameter, long start, long elements) {}

  private final int parameters;
  private final List<List<Piece>> slices;
  private final List<Tensor> tables = new ArrayList<>();
  private final @Nullable Tensor ends;
  private final long parts;

  /**
   * Prepares for slices like these.
   *
   * @param values the dtype of the model's weights
   * @param gradients the slices, flat; borrowed for their device and dtype
   * @param pieces what each slice holds; a piece starts at a multiple of 4, and zeros follow it up
   *     to the next multiple
   * @param parameters of the whole model
   */
  public GradientSquares(
      Dtype values, List<Tensor> gradients, List<List<Piece>> pieces, int parameters) {
    this.parameters = parameters;
    this.slices = pieces.stream().map(List::copyOf).toList();
    if (gradients.isEmpty()
        || !SquaresKernel.take(values, gradients.getFirst())
        || !ExtremesKernel.take(values, gradients.getFirst())) {
      ends = null;
      parts = 0;
      return;
    }
    Device device = gradients.getFirst().device();
    Stretches stretches = new Stretches(slices, parameters);
    parts = stretches.count();
    try (Scope _ = Scope.open(MemoryOwner.OPTIMIZER)) {
      for (int slice = 0; slice < slices.size(); slice++) {
        long[] table = stretches.table(slice);
        tables.add(Scope.detach(HostCopy.fromLongs(table, device, table.length / 3, 3)));
      }
      ends = Scope.detach(HostCopy.fromLongs(stretches.ends(), device, parameters));
    }
  }

  /**
   * The squares of each parameter, fp64 {@code [parameters]} in the order of the names; 0 for what
   * no slice holds.
   *
   * @param gradients as given to the constructor
   */
  public Tensor of(List<Tensor> gradients) {
    Device device = gradients.getFirst().device();
    if (device.equals(Device.CPU)) {
      List<double[]> ofSlices = new ArrayList<>();
      for (int slice = 0; slice < slices.size(); slice++) {
        ofSlices.add(ofPieces(slice, gradients.get(slice)));
      }
      return sum(ofSlices);
    }
    Tensor squares = Tensors.zeros(Dtype.FLOAT64, device, parameters);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      if (ends != null) {
        Tensor sums = Tensors.empty(Dtype.FLOAT64, device, parts);
        for (int slice = 0; slice < slices.size(); slice++) {
          SquaresKernel.ofStretches(gradients.get(slice), tables.get(slice), sums);
        }
        SquaresKernel.ofGroups(sums, ends, squares);
      } else if (!device.isMeta()) {
        for (int slice = 0; slice < slices.size(); slice++) {
          for (Piece piece : slices.get(slice)) {
            add(squares, gradients.get(slice), piece);
          }
        }
      }
    }
    return squares;
  }

  /**
   * The smallest and the largest number of each parameter, fp32 {@code [parameters, 2]} in the
   * order of the names; infinity and minus infinity for what no slice holds. Padding may count as
   * zeros. On the CPU it waits for nothing; elsewhere it is launched where {@link #of} is, too, and
   * read piece by piece otherwise.
   *
   * @param gradients as given to the constructor
   */
  public Tensor extremes(List<Tensor> gradients) {
    Device device = gradients.getFirst().device();
    if (ends == null) {
      return HostCopy.fromFloats(extremesByPiece(gradients), Dtype.FLOAT32, device, parameters, 2);
    }
    Tensor extremes = Tensors.empty(Dtype.FLOAT32, device, parameters, 2);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor ofParts = Tensors.empty(Dtype.FLOAT32, device, parts, 2);
      for (int slice = 0; slice < slices.size(); slice++) {
        ExtremesKernel.ofStretches(gradients.get(slice), tables.get(slice), ofParts);
      }
      ExtremesKernel.ofGroups(ofParts, ends, extremes);
    }
    return extremes;
  }

  /** What {@link #extremes} says of parameters of which nothing is held. */
  public static Tensor noExtremes(Device device, int parameters) {
    return HostCopy.fromFloats(none(parameters), Dtype.FLOAT32, device, parameters, 2);
  }

  private static float[] none(int parameters) {
    float[] extremes = new float[2 * parameters];
    for (int i = 0; i < parameters; i++) {
      extremes[2 * i] = Float.POSITIVE_INFINITY;
      extremes[2 * i + 1] = Float.NEGATIVE_INFINITY;
    }
    return extremes;
  }

  private float[] extremesByPiece(List<Tensor> gradients) {
    float[] extremes = none(parameters);
    for (int slice = 0; slice < slices.size(); slice++) {
      for (Piece piece : slices.get(slice)) {
        try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
          Tensor flat = Views.narrow(gradients.get(slice), 0, piece.start(), piece.elements());
          int place = 2 * piece.parameter();
          float least = (float) HostCopy.item(Reductions.min(flat, false));
          float most = (float) HostCopy.item(Reductions.max(flat, false));
          extremes[place] = Math.min(extremes[place], least);
          extremes[place + 1] = Math.max(extremes[place + 1], most);
        }
      }
    }
    return extremes;
  }

  /**
   * The squares of what a slice holds, by piece; from any thread.
   *
   * @param gradients of the slice, on the CPU
   */
  public double[] ofPieces(int slice, Tensor gradients) {
    HostSquares ofSlice = new HostSquares(gradients);
    return slices.get(slice).stream()
        .mapToDouble(piece -> ofSlice.of(piece.start(), piece.elements()))
        .toArray();
  }

  /**
   * As {@link #of}, of slices on the CPU.
   *
   * @param ofSlices what {@link #ofPieces} gave for each slice
   */
  public Tensor sum(List<double[]> ofSlices) {
    double[] squares = new double[parameters];
    for (int slice = 0; slice < slices.size(); slice++) {
      double[] ofPieces = ofSlices.get(slice);
      for (int i = 0; i < ofPieces.length; i++) {
        squares[slices.get(slice).get(i).parameter()] += ofPieces[i];
      }
    }
    return HostCopy.fromDoubles(squares, Dtype.FLOAT64, Device.CPU, parameters);
  }

  private static void add(Tensor squares, Tensor gradients, Piece piece) {
    for (long done = 0; done < piece.elements(); done += CHUNK) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        long length = Math.min(CHUNK, piece.elements() - done);
        Tensor chunk = Views.narrow(gradients, 0, piece.start() + done, length);
        Tensor wide = Copies.cast(chunk, Dtype.FLOAT64);
        Elementwise.addInPlace(
            Views.narrow(squares, 0, piece.parameter(), 1),
            Views.reshape(Reductions.dot(wide, wide), 1));
      }
    }
  }

  @Override
  public void close() {
    tables.forEach(Tensor::close);
    if (ends != null) {
      ends.close();
    }
  }
}
