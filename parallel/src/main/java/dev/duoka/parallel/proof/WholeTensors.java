package dev.duoka.parallel.proof;

import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.parallel.state.StateSlice;
import dev.duoka.parallel.step.TrainingRank;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;

/**
 * Whole tensors by the names of their parameters, put together from what the ranks of a mesh hold
 * of gradients or states. What no rank has given is NaN. The ranks may give at the same time.
 */
public final class WholeTensors {
  private final Map<String, double[]> tensors = new LinkedHashMap<>();

  /**
   * Adds what a rank holds.
   *
   * @param state what is taken of each of its slices: a flat tensor of the slice's length
   */
  public void add(TrainingRank rank, Function<StateSlice, Tensor> state) {
    for (StateSlice slice : rank.optimizer().slices()) {
      if (!slice.isCounted()) {
        continue;
      }
      for (Parameter parameter : slice.bucket().parameters()) {
        long first = Math.max(parameter.offset(), slice.offset());
        long end =
            Math.min(
                parameter.offset() + parameter.spec().elements(), slice.offset() + slice.length());
        if (first < end) {
          try (Scope _ = Scope.open()) {
            Tensor held = Views.narrow(state.apply(slice), 0, first - slice.offset(), end - first);
            give(parameter, held, first - parameter.offset());
          }
        }
      }
    }
  }

  private void give(Parameter parameter, Tensor held, long start) {
    Portion portion = parameter.spec().portion();
    double[] nothing = new double[Math.toIntExact(portion.rows() * portion.columns())];
    Arrays.fill(nothing, Double.NaN);
    Tensor all =
        HostCopy.fromDoubles(nothing, Dtype.FLOAT64, Device.CPU, portion.rows(), portion.columns());
    Tensor numbers =
        HostCopy.fromDoubles(HostCopy.doubles(held), Dtype.FLOAT64, Device.CPU, held.size(0));
    portion.give(numbers, start, all, 0);
    double[] given = HostCopy.doubles(all);
    synchronized (tensors) {
      double[] sum = tensors.computeIfAbsent(parameter.name(), _ -> nothing.clone());
      for (int i = 0; i < given.length; i++) {
        if (!Double.isNaN(given[i])) {
          sum[i] = given[i];
        }
      }
    }
  }

  /** The tensors, when all ranks have given theirs. */
  public Map<String, double[]> tensors() {
    synchronized (tensors) {
      return new LinkedHashMap<>(tensors);
    }
  }
}
