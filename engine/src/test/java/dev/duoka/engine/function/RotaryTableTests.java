package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.LedgerSnapshot;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import org.assertj.core.data.Offset;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RotaryTableTests {
  private static final Device DEVICE = TestDevice.current();
  private static final float[] FREQUENCIES = {1f, 0.3f, 0.05f};

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void turnsEachPairByItsAngle(boolean interleaved) {
    LedgerSnapshot before = LedgerSnapshot.of(DEVICE);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        RotaryTable table =
            new RotaryTable(FREQUENCIES, 1.5, 20, interleaved, Dtype.FLOAT64, DEVICE)) {
      assertThat(table.positions()).isEqualTo(20);
      Tensor x = new Inputs(131, Dtype.FLOAT64, DEVICE).normal(2, 4, 3, 6);
      double[] xs = HostCopy.doubles(x);
      double[] expected = new double[xs.length];
      for (int vector = 0; vector < 24; vector++) {
        int position = 7 + vector / 3 % 4;
        for (int pair = 0; pair < 3; pair++) {
          int first = vector * 6 + (interleaved ? 2 * pair : pair);
          int second = vector * 6 + (interleaved ? 2 * pair + 1 : pair + 3);
          double angle = position * FREQUENCIES[pair];
          double cos = 1.5 * Math.cos(angle);
          double sin = 1.5 * Math.sin(angle);
          expected[first] = xs[first] * cos - xs[second] * sin;
          expected[second] = xs[second] * cos + xs[first] * sin;
        }
      }
      // The tables are fp32 numbers.
      Numbers.assertClose("seed 131", HostCopy.doubles(table.rotate(x, 7)), expected, 1e-6);
      double[] back = HostCopy.doubles(table.rotateBack(table.rotate(x, 7), 7));
      for (int i = 0; i < back.length; i++) {
        back[i] /= 1.5 * 1.5;
      }
      Numbers.assertClose("seed 131", back, xs, 1e-6);
    }
    before.assertUnchanged();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void scoresDependOnDistanceOnly(boolean interleaved) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        RotaryTable table =
            new RotaryTable(FREQUENCIES, 1, 50, interleaved, Dtype.FLOAT64, DEVICE)) {
      Inputs inputs = new Inputs(132, Dtype.FLOAT64, DEVICE);
      Tensor query = inputs.normal(1, 1, 1, 6);
      Tensor key = inputs.normal(1, 1, 1, 6);
      double near = score(table, query, 5, key, 2);
      double far = score(table, query, 45, key, 42);
      assertThat(far).isCloseTo(near, Offset.offset(1e-5));
      assertThat(score(table, query, 5, key, 4)).isNotEqualTo(near);
    }
  }

  private static double score(RotaryTable table, Tensor query, long at, Tensor key, long other) {
    double[] q = HostCopy.doubles(Views.reshape(table.rotate(query, at), -1));
    double[] k = HostCopy.doubles(Views.reshape(table.rotate(key, other), -1));
    double sum = 0;
    for (int i = 0; i < q.length; i++) {
      sum += q[i] * k[i];
    }
    return sum;
  }
}
