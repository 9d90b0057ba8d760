package dev.duoka.parallel.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.testing.Inputs;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is on its way between ranks when attention fails on one of them. */
final class RingAttentionTests {
  /** A group in which memory runs out when this rank makes room for what comes. */
  private static Communicator full(Communicator group, int reception) {
    int[] receptions = {0};
    return (Communicator)
        Proxy.newProxyInstance(
            Communicator.class.getClassLoader(),
            new Class<?>[] {Communicator.class},
            (_, method, arguments) -> {
              if (method.getName().equals("receive") && ++receptions[0] == reception) {
                throw new IllegalStateException("no memory");
              }
              try {
                return method.invoke(group, arguments);
              } catch (InvocationTargetException e) {
                throw Objects.requireNonNull(e.getCause());
              }
            });
  }

  /** In the forward pass, when keys go round again, and when gradients are on their way. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void whoFailsEndsAllExchangeBeforeItsScopeCloses(int reception) {
    assertThatThrownBy(
            () ->
                LocalRanks.run(
                    2,
                    world -> {
                      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
                        if (world.rank() == 0) {
                          attend(world);
                          world.agreement().barrier();
                        }
                        Communicator group = full(world, reception);
                        assertThatThrownBy(() -> attend(group)).hasMessage("no memory");
                        assertThat(world.failure())
                            .isInstanceOf(DuokaException.class)
                            .hasMessageContaining("ring attention", "no memory");
                      }
                      throw new IllegalStateException("as expected");
                    }))
        .hasMessage("as expected");
  }

  private static void attend(Communicator group) {
    Inputs inputs = new Inputs(3, Dtype.FLOAT64, Device.CPU);
    ContextParallel parallel = new ContextParallel(group, Tape::applyAsIs);
    try (Tape tape = Tape.recording(Recompute.NONE)) {
      tape.substituteWith(parallel);
      Variable query = tape.leaf(inputs.coarse(1, 2, 4, 3));
      Variable key = tape.leaf(inputs.coarse(1, 2, 4, 3));
      Variable value = tape.leaf(inputs.coarse(1, 2, 4, 3));
      Variable output = tape.apply(new Attention(0.5), query, key, value);
      Tensor gradient = Tensors.full(1, Dtype.FLOAT64, Device.CPU, output.value().shape());
      tape.backward(output, gradient);
    }
  }
}
