package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.TestDevice;
import org.junit.jupiter.api.Test;

/** The most likely token at one place of each sequence. */
class NextTokenTests {
  private static final long NONE = TokenCrossEntropy.IGNORED;

  @Test
  void isTheLargestLogitAtThePlace() {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES);
        Bench bench = new Bench(new Inputs(1, Dtype.FLOAT32, TestDevice.current()));
        Tape tape = Tape.inference()) {
      Parameter weight = bench.parameter("w", 3, 3);
      // The logits of a row are the row itself.
      Copies.into(weight.value(), tensor(1, 0, 0, 0, 1, 0, 0, 0, 1));
      Tensor hidden =
          tensor(
              9, 1, 2, 1, 2, 3, 5, 1, 1, // places 0 to 2 of the first sequence
              1, 7, 2, 4, 4, 1, 0, 0, 0); // of the second, where two are equally likely
      Tensor places =
          HostCopy.fromLongs(new long[] {NONE, 0, NONE, NONE, 2, NONE}, TestDevice.current(), 6);
      Variable chosen =
          tape.apply(
              new NextToken(new OutputProjection(weight), places, 2), Variable.constant(hidden));
      assertThat(HostCopy.doubles(chosen.value())).containsExactly(2, 0);
    }
  }

  private static Tensor tensor(double... values) {
    Tensor flat =
        Copies.cast(
            HostCopy.fromDoubles(values, Dtype.FLOAT64, TestDevice.current(), values.length),
            Dtype.FLOAT32);
    return Views.reshape(flat, -1, 3);
  }
}
