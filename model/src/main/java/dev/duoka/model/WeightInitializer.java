package dev.duoka.model;

import dev.duoka.engine.parameter.HeldRange;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Nf4Form;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.kernel.ChanceBits;
import dev.duoka.tensor.kernel.RandomNumbers;
import dev.duoka.tensor.nf4.Nf4;
import dev.duoka.tensor.nf4.Nf4Writer;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.function.Function;

/**
 * Gives a new model its first weights: a pure function of the seed, each parameter's name and each
 * element's place in the whole weight, the same on every rank and device. They are drawn on the
 * device that holds them.
 */
public final class WeightInitializer {
  /**
   * Which way of drawing this is: it changes whenever a seed comes to stand for other weights. The
   * first one drew on the host, in streams.
   */
  public static final int WAY = 2;

  /** Elements drawn at once. */
  private static final int CHUNK = 1 << 22;

  /**
   * A distribution that elements are drawn from, the first of which has the number {@code first}.
   */
  @FunctionalInterface
  private interface Distribution {
    void draw(Tensor target, long key, long first);
  }

  private WeightInitializer() {}

  /** Initialises all parameters, on all cores. */
  public static void initialize(LanguageModel model, long seed) {
    initialize(model, seed, _ -> HeldRange.ALL);
  }

  /**
   * As the other method, some of the weights alone.
   *
   * @param wanted what of a parameter is to be written; more may be, never a parameter of which
   *     nothing is
   */
  public static void initialize(
      LanguageModel model, long seed, Function<Parameter, HeldRange> wanted) {
    Device device = model.parameters().device();
    if (device.isMeta()) {
      return;
    }
    long largest = 1;
    for (Parameter parameter : model.parameters().parameters()) {
      Portion portion = parameter.spec().portion();
      largest = Math.max(largest, portion.rows() * portion.columns());
    }
    int chunk = Math.toIntExact(Math.min(CHUNK, largest));
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor staging =
          RandomNumbers.serve(device)
              ? Tensors.empty(Dtype.FLOAT32, device, chunk)
              : Tensors.emptyPinned(Dtype.FLOAT32, chunk);
      for (Parameter parameter : model.parameters().parameters()) {
        HeldRange range = wanted.apply(parameter);
        if (!range.isEmpty()) {
          initialize(parameter, range, seed, staging);
        }
      }
    }
  }

  /**
   * Draws every weight that starts at a constant from around it, normally distributed: so that none
   * of the gradients of a proof is zero because a matrix is.
   */
  public static void disturbConstants(LanguageModel model, long seed, double deviation) {
    if (model.parameters().device().isMeta()) {
      return;
    }
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor staging = Tensors.empty(Dtype.FLOAT32, Device.CPU, CHUNK);
      for (Parameter parameter : model.parameters().parameters()) {
        if (parameter.spec().initializer() instanceof Initializer.Constant(double value)) {
          draw(
              parameter,
              HeldRange.ALL,
              seed,
              (target, key, first) -> {
                RandomNumbers.normal(target, key, first, deviation);
                Elementwise.addInPlace(
                    target, Tensors.full(value, target.dtype(), target.device(), 1));
              },
              staging);
        }
      }
    }
  }

  private static void initialize(Parameter parameter, HeldRange range, long seed, Tensor staging) {
    switch (parameter.spec().initializer()) {
      case Initializer.Constant(double value) -> Tensors.fill(parameter.value(), value);
      case Initializer.Normal(double deviation) ->
          draw(
              parameter,
              range,
              seed,
              (target, key, first) -> RandomNumbers.normal(target, key, first, deviation),
              staging);
      case Initializer.Uniform(double bound) ->
          draw(
              parameter,
              range,
              seed,
              (target, key, first) -> RandomNumbers.uniform(target, key, first, bound),
              staging);
    }
  }

  private static void draw(
      Parameter parameter, HeldRange range, long seed, Distribution distribution, Tensor staging) {
    long key =
        ChanceBits.key(
            ChanceBits.ofName(parameter.name() + " first weights"), ChanceBits.ofUpdate(seed, 0));
    Portion portion = parameter.spec().portion();
    Nf4Form form = parameter.spec().nf4();
    if (form != null) {
      drawInFourBits(parameter, form, key, distribution, staging);
    } else if (portion.isAll()) {
      drawAll(parameter, range, key, distribution, staging);
    } else {
      drawPortion(parameter, portion, range, key, distribution, staging);
    }
  }

  private static void drawAll(
      Parameter parameter, HeldRange range, long key, Distribution distribution, Tensor staging) {
    long elements = parameter.spec().elements();
    long end = Math.min(elements, range.end());
    try (Scope _ = Scope.open()) {
      Tensor flat = Views.reshape(parameter.value(), elements);
      long atOnce = staging.size(0);
      for (long start = range.start(); start < end; start += atOnce) {
        long length = Math.min(atOnce, end - start);
        try (Tensor drawn = Views.narrow(staging, 0, 0, length);
            Tensor part = Views.narrow(flat, 0, start, length)) {
          distribution.draw(drawn, key, start);
          Copies.into(part, drawn);
        }
      }
    }
  }

  /** Draws the rows that touch what is held, and keeps of each what belongs to it. */
  private static void drawPortion(
      Parameter parameter,
      Portion portion,
      HeldRange range,
      long key,
      Distribution distribution,
      Tensor staging) {
    long columns = portion.columns();
    long rowsAtOnce = Math.max(1, CHUNK / columns);
    long end = Math.min(parameter.spec().elements(), range.end());
    for (long row = 0; row < portion.rows(); row += rowsAtOnce) {
      long rows = Math.min(rowsAtOnce, portion.rows() - row);
      if (!portion.touches(range.start(), end, row, rows)) {
        continue;
      }
      try (Scope _ = Scope.open()) {
        Tensor whole = rows(row, rows, columns, key, distribution, staging);
        portion.take(whole, row, parameter.value());
      }
    }
  }

  /** Draws all rows of each tensor of which anything is here, and quantizes them as they come. */
  private static void drawInFourBits(
      Parameter parameter, Nf4Form form, long key, Distribution distribution, Tensor staging) {
    long columns = parameter.spec().portion().columns();
    long atOnce = Math.max(1, CHUNK / columns / Nf4.BLOCK) * Nf4.BLOCK;
    long firstRow = 0;
    for (int tensor = 0; tensor < form.rows().size(); tensor++) {
      long end = firstRow + form.rows().get(tensor);
      try (Nf4Writer writer = parameter.writer(tensor)) {
        for (long row = firstRow; writer.isWanted() && row < end; row += atOnce) {
          long rows = Math.min(atOnce, end - row);
          try (Scope _ = Scope.open()) {
            writer.add(rows(row, rows, columns, key, distribution, staging));
          }
        }
        if (writer.isWanted()) {
          writer.finish();
        }
      }
      firstRow = end;
    }
  }

  /** Draws some rows of a whole weight, {@code [rows, columns]}. Of the caller's scope. */
  private static Tensor rows(
      long row, long rows, long columns, long key, Distribution distribution, Tensor staging) {
    Tensor room = room(staging, rows * columns);
    distribution.draw(room, key, row * columns);
    return Views.reshape(room, rows, columns);
  }

  /** The staging memory, or more where one row alone is longer. */
  private static Tensor room(Tensor staging, long elements) {
    return elements <= staging.size(0)
        ? Views.narrow(staging, 0, 0, elements)
        : Tensors.empty(Dtype.FLOAT32, staging.device(), elements);
  }
}
