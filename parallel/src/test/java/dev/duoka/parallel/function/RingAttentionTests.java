package dev.duoka.parallel.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.base.DuokaException;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.local.LocalRanks;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;
import dev.duoka.engine.function.AttentionPlans;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Objects;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention of sequences that ranks share, and what is on its way when it fails on one of them. */
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

  private static final int BATCH = 2;
  private static final int HEADS = 4;
  private static final int LENGTH = 64;
  private static final int WIDTH = 32;

  @Test
  void gradientsAreThoseOfWholeSequences() {
    isWhole(Device.CPU, Dtype.FLOAT64, 1e-12);
  }

  /** By cuDNN, whose plans are made before, as a run makes them. */
  @Test
  @Tag("cuda")
  void onACardGradientsAreThoseOfWholeSequences() {
    isWhole(TestDevice.cuda(), Dtype.BFLOAT16, 2e-2);
  }

  private static void isWhole(Device device, Dtype dtype, double tolerance) {
    double[][] numbers = new double[4][];
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          random.doubles((long) BATCH * HEADS * LENGTH * WIDTH, -1, 1).map(Math::rint).toArray();
    }
    double[][] whole = new double[4][];
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      int[] all = new ContextChunks(1, 0).positions(LENGTH);
      System.arraycopy(attend(numbers, all, Dtype.FLOAT64, Device.CPU, null), 0, whole, 0, 4);
    }
    AttentionPlans[] plans = new AttentionPlans[2];
    for (int run = 0; run < 2; run++) { // the second one on threads that know the plans
      LocalRanks.run(
          plans.length,
          group -> {
            try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
              if (plans[group.rank()] != null) {
                plans[group.rank()].make(device);
              }
              int[] mine = new ContextChunks(plans.length, group.rank()).positions(LENGTH);
              double[][] found = new double[4][];
              plans[group.rank()] =
                  AttentionPlans.of(
                      () ->
                          System.arraycopy(
                              attend(numbers, mine, dtype, device, group), 0, found, 0, 4));
              for (int i = 0; i < found.length; i++) {
                Numbers.assertClose(
                    "rank " + group.rank() + ", tensor " + i,
                    found[i],
                    chosen(whole[i], mine),
                    tolerance);
              }
            }
          });
    }
  }

  /** Of numbers {@code [batch, heads, length, width]} those of some positions. */
  private static double[] chosen(double[] numbers, int[] positions) {
    double[] chosen = new double[BATCH * HEADS * positions.length * WIDTH];
    int next = 0;
    for (int head = 0; head < BATCH * HEADS; head++) {
      for (int position : positions) {
        System.arraycopy(numbers, (head * LENGTH + position) * WIDTH, chosen, next, WIDTH);
        next += WIDTH;
      }
    }
    return chosen;
  }

  /**
   * The output and the gradients of query, key and value, {@code [batch, heads, positions, width]}.
   *
   * @param numbers query, key, value and the output's gradient, of whole sequences
   */
  private static double[][] attend(
      double[][] numbers,
      int[] positions,
      Dtype dtype,
      Device device,
      @Nullable Communicator group) {
    try (Tape tape = Tape.recording(Recompute.NONE)) {
      if (group != null) {
        tape.substituteWith(new ContextParallel(group, Tape::applyAsIs));
      }
      Variable[] inputs = new Variable[3];
      for (int i = 0; i < inputs.length; i++) {
        inputs[i] = tape.leaf(tensor(chosen(numbers[i], positions), dtype, device));
      }
      Variable output = tape.apply(new Attention(0.2), inputs);
      Tensor gradient = tensor(chosen(numbers[3], positions), dtype, device);
      tape.backward(output, Views.dense(rows(gradient)));
      long[] shape = {BATCH, positions.length, HEADS, WIDTH};
      return new double[][] {
        HostCopy.doubles(Views.dense(Views.transpose(Views.reshape(output.value(), shape), 1, 2))),
        HostCopy.doubles(Views.dense(inputs[0].gradient())),
        HostCopy.doubles(Views.dense(inputs[1].gradient())),
        HostCopy.doubles(Views.dense(inputs[2].gradient()))
      };
    }
  }

  private static Tensor tensor(double[] numbers, Dtype dtype, Device device) {
    long length = numbers.length / ((long) BATCH * HEADS * WIDTH);
    return HostCopy.fromDoubles(numbers, dtype, device, BATCH, HEADS, length, WIDTH);
  }

  /** As attention gives its output: token by token, the heads beside each other. */
  private static Tensor rows(Tensor byHead) {
    Tensor byToken = Views.dense(Views.transpose(byHead, 1, 2));
    return Views.reshape(byToken, BATCH * byHead.size(2), (long) HEADS * WIDTH);
  }
}
