package dev.duoka.parallel.state;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Purpose;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.DeferredRead;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;

/** The ranges of gradients on their way to the host. Nothing waits for them but {@link #await}. */
final class RangeReading implements AutoCloseable {
  private final List<String> names;
  private final int ranks;
  private final DeferredRead squares;
  private final DeferredRead extremes;

  /**
   * Launches the reading. Collective over the ranks of the model.
   *
   * @param names of all parameters, in order
   * @param squaresOfAll fp64 {@code [names]}, over all ranks
   * @param extremesHere fp32 {@code [names, 2]}, of what this rank holds
   */
  RangeReading(List<String> names, Communicator world, Tensor squaresOfAll, Tensor extremesHere) {
    this.names = names;
    ranks = world.size();
    squares = new DeferredRead(squaresOfAll.device(), Dtype.FLOAT64, names.size());
    squares.start(squaresOfAll);
    extremes = new DeferredRead(extremesHere.device(), Dtype.FLOAT32, 2 * ranks * names.size());
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Purpose _ = Purpose.of("the ranges of gradients")) {
      Tensor mine = Views.reshape(extremesHere, -1);
      Tensor all = mine;
      if (ranks > 1) {
        all = Tensors.empty(Dtype.FLOAT32, mine.device(), ranks * mine.size(0));
        world.allGather(mine, all).join();
      }
      extremes.start(all);
    }
  }

  /**
   * The ranges of all parameters that have gradients; waits for them.
   *
   * @param lossScale is taken out
   */
  List<ParameterRange> await(double lossScale) {
    double[] sums = squares.await();
    double[] ofRanks = extremes.await();
    List<ParameterRange> ranges = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      double smallest = Double.POSITIVE_INFINITY;
      double largest = Double.NEGATIVE_INFINITY;
      for (int rank = 0; rank < ranks; rank++) {
        int place = 2 * (rank * names.size() + i);
        smallest = Math.min(smallest, ofRanks[place]);
        largest = Math.max(largest, ofRanks[place + 1]);
      }
      if (!(smallest > largest)) { // somebody has some of it
        ranges.add(
            new ParameterRange(
                names.get(i),
                smallest / lossScale,
                largest / lossScale,
                sums[i] / lossScale / lossScale));
      }
    }
    return ranges;
  }

  @Override
  public void close() {
    squares.close();
    extremes.close();
  }
}
