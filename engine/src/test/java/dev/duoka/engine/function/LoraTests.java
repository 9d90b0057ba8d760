package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Portion;
import dev.duoka.engine.parameter.Section;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Views;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class LoraTests {
  private static final int TOKENS = 400;
  private static final int WIDTH = 300;
  private static final double KEEP = 0.9;

  private static ParameterSpec down(String name) {
    return new ParameterSpec(
        name,
        List.of(List.of(Section.of(Axis.LORA, 4)), List.of(Section.of(Axis.FEED_FORWARD, WIDTH))),
        new Initializer.Constant(0),
        0);
  }

  private static ParameterSpec columns(ParameterSpec whole, long from, long count) {
    return whole.part(
        List.of(whole.sections().getFirst(), List.of(Section.of(Axis.FEED_FORWARD, count))),
        new Portion(whole.shape(), 1, List.of(new Portion.Stretch(from, 0, count, 1, true))));
  }

  /** What is kept of ones, {@code [tokens, columns]}. */
  private static double[] kept(ParameterSpec down, long update, long[] tokens) {
    double[] ones = new double[tokens.length * Math.toIntExact(down.shape().getLast())];
    Arrays.fill(ones, 1);
    return kept(down, update, tokens, ones, Dtype.FLOAT32, Device.CPU);
  }

  /** What is kept of some numbers. */
  private static double[] kept(
      ParameterSpec down,
      long update,
      long[] tokens,
      double[] numbers,
      Dtype dtype,
      Device device) {
    try (Scope _ = Scope.open();
        ParameterStore store =
            new ParameterStore(List.of(down), new ParameterStore.Storage(dtype, device, 1, true))) {
      Lora lora = new Lora(store.parameter(down.name()), List.of(), KEEP);
      Tensor places = HostCopy.fromLongs(tokens, device, tokens.length);
      Tensor x =
          HostCopy.fromDoubles(numbers, dtype, device, tokens.length, down.shape().getLast());
      return HostCopy.doubles(new LoraDropout(update, places).apply(x, lora));
    }
  }

  /** The kernel keeps what the composition keeps, and rounds it the same way. */
  @Tag("cuda")
  @Test
  void theCardKeepsTheSame() {
    ParameterSpec down = columns(down("a"), 48, 160);
    double[] numbers = new SplittableRandom(5).doubles((long) TOKENS * 160, -3, 3).toArray();
    for (Dtype dtype : List.of(Dtype.FLOAT32, Dtype.BFLOAT16, Dtype.FLOAT16)) {
      assertThat(kept(down, 5, tokens(7, TOKENS), numbers, dtype, TestDevice.cuda()))
          .isEqualTo(kept(down, 5, tokens(7, TOKENS), numbers, dtype, Device.CPU));
    }
  }

  private static long[] tokens(int from, int count) {
    return LongStream.range(from, from + count).toArray();
  }

  @Test
  void asManyAreLeftOutAsShouldBe() {
    double[] kept = kept(down("a"), 5, tokens(0, TOKENS));
    double share = Arrays.stream(kept).filter(it -> it != 0).count() / (double) kept.length;
    assertThat(share).isBetween(KEEP - 0.004, KEEP + 0.004); // four deviations of 120000 draws
    assertThat(Arrays.stream(kept).filter(it -> it != 0).distinct())
        .containsExactly((double) (1 / 0.9f));
    double[] ofColumns = new double[WIDTH];
    for (int i = 0; i < kept.length; i++) {
      ofColumns[i % WIDTH] += kept[i] == 0 ? 0 : 1.0 / TOKENS;
    }
    assertThat(Arrays.stream(ofColumns).boxed())
        .allMatch(it -> it > KEEP - 0.08 && it < KEEP + 0.08);
  }

  @Test
  void whoHoldsSomeTokensOrColumnsLeavesOutTheSame() {
    double[] all = kept(down("a"), 5, tokens(0, TOKENS));
    double[] late = kept(down("a"), 5, tokens(100, 50));
    assertThat(late).isEqualTo(Arrays.copyOfRange(all, 100 * WIDTH, 150 * WIDTH));
    double[] some = kept(columns(down("a"), 120, 60), 5, tokens(0, TOKENS));
    double[] expected =
        IntStream.range(0, some.length)
            .mapToDouble(i -> all[i / 60 * WIDTH + 120 + i % 60])
            .toArray();
    assertThat(some).isEqualTo(expected);
  }

  @Test
  void stepsAndNamesLeaveOutOthers() {
    double[] all = kept(down("a"), 5, tokens(0, TOKENS));
    assertThat(same(all, kept(down("a"), 6, tokens(0, TOKENS)))).isBetween(0.80, 0.84);
    assertThat(same(all, kept(down("b"), 5, tokens(0, TOKENS)))).isBetween(0.80, 0.84);
    assertThat(same(all, kept(down("a"), 5, tokens(TOKENS, TOKENS)))).isBetween(0.80, 0.84);
  }

  /** How many are equal; 0.9² + 0.1² where two draws are independent. */
  private static double same(double[] a, double[] b) {
    return IntStream.range(0, a.length).filter(i -> a[i] == b[i]).count() / (double) a.length;
  }

  @Test
  void aFrozenLayerKeepsNothingForItsWeightAndHasNoGradient() {
    Inputs random = new Inputs(3, Dtype.FLOAT32, Device.CPU);
    ParameterSpec spec =
        ParameterSpec.plain("w", List.of(8L, 8L), new Initializer.Constant(0)).frozen();
    try (Scope _ = Scope.open();
        ParameterStore store =
            new ParameterStore(
                List.of(spec), new ParameterStore.Storage(Dtype.FLOAT32, Device.CPU, 1, true))) {
      assertThat(store.trainableBuckets()).isEmpty();
      Parameter weight = store.parameter("w");
      assertThatThrownBy(weight::gradient)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("w is frozen");
      assertThat(activations(weight, random.coarse(64, 8))).isZero();
    }
  }

  /** Bytes that a recorded application keeps beside its input and its output. */
  private static long activations(Parameter weight, Tensor x) {
    try (Tape tape = Tape.recording(Recompute.NONE)) {
      Variable leaf = tape.leaf(x);
      long before = live();
      Variable output = tape.apply(new Linear(weight), leaf);
      long kept = live() - before - output.value().bytes();
      tape.backward(output, Views.dense(output.value()));
      assertThat(leaf.gradient().elements()).isEqualTo(x.elements());
      return kept;
    }
  }

  private static long live() {
    return MemoryLedger.of(Device.CPU).liveByOwner().getOrDefault(MemoryOwner.ACTIVATIONS, 0L);
  }

  @Test
  void nothingIsRecordedWhereNothingIsTrained() {
    ParameterSpec spec =
        ParameterSpec.plain("w", List.of(8L, 8L), new Initializer.Constant(0)).frozen();
    try (Scope _ = Scope.open();
        Tape tape = Tape.recording(Recompute.NONE);
        ParameterStore store =
            new ParameterStore(
                List.of(spec), new ParameterStore.Storage(Dtype.FLOAT32, Device.CPU, 1, true))) {
      Variable input = Variable.constant(new Inputs(3, Dtype.FLOAT32, Device.CPU).coarse(4, 8));
      assertThat(tape.apply(new Linear(store.parameter("w")), input).needsGradient()).isFalse();
    }
  }
}
