package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.engine.function.RouterRule.GroupScore;
import dev.duoka.engine.function.RouterRule.Scoring;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.Poison;
import dev.duoka.tensor.testing.TestDevice;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Router and routing by our kernels against the compositions on the CPU, in sizes of training. */
@Tag("cuda")
class CudaRoutingTests {
  private static final long SEED = 107;

  /** Of DeepSeek-V2-Lite, V2 and V3. */
  enum Model {
    V2_LITE,
    V2,
    V3;

    private RouterRule rule() {
      return switch (this) {
        case V2_LITE -> new RouterRule(64, 6, Scoring.SOFTMAX, 1, 1, GroupScore.MAXIMUM, false, 1);
        case V2 -> new RouterRule(160, 6, Scoring.SOFTMAX, 8, 3, GroupScore.MAXIMUM, false, 16);
        case V3 ->
            new RouterRule(256, 8, Scoring.SIGMOID, 8, 4, GroupScore.SUM_OF_TOP_TWO, true, 2.5);
      };
    }
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 6", "301, 6, 64", "500, 8, 256", "1234, 3, 600"})
  void sortsAsTheCompositionDoes(int tokens, int perToken, int experts) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      LocalRouting[] both = new LocalRouting[2];
      for (int i = 0; i < 2; i++) {
        Device device = i == 0 ? Device.CPU : TestDevice.cuda();
        Tensor chosen = new Inputs(SEED, Dtype.FLOAT32, device).indices(experts, tokens, perToken);
        Poison.freeMemory(TestDevice.cuda());
        both[i] = LocalRouting.of(chosen, experts, Dtype.BFLOAT16);
      }
      assertThat(HostCopy.longs(both[1].order())).isEqualTo(HostCopy.longs(both[0].order()));
      assertThat(HostCopy.longs(both[1].position())).isEqualTo(HostCopy.longs(both[0].position()));
      assertThat(HostCopy.longs(both[1].token())).isEqualTo(HostCopy.longs(both[0].token()));
      assertThat(HostCopy.longs(both[1].counts())).isEqualTo(HostCopy.longs(both[0].counts()));
      assertThat(HostCopy.ints(both[1].ends())).isEqualTo(HostCopy.ints(both[0].ends()));
    }
  }

  @ParameterizedTest
  @EnumSource(Model.class)
  void bf16(Model model) {
    agree(model, Dtype.BFLOAT16, 5e-3);
  }

  @ParameterizedTest
  @EnumSource(Model.class)
  void fp16(Model model) {
    agree(model, Dtype.FLOAT16, 1e-3);
  }

  @ParameterizedTest
  @EnumSource(Model.class)
  void fp32(Model model) {
    agree(model, Dtype.FLOAT32, 5e-5);
  }

  /** All but the gradient of x is fp32, whatever the model computes in. */
  private static void agree(Model model, Dtype dtype, double inputTolerance) {
    FunctionCase router = new FunctionCase("router of " + model, bench -> setUp(model, bench));
    Map<String, double[]> cpu = DtypeAgreementTests.run(router, dtype, Device.CPU);
    Poison.freeMemory(TestDevice.cuda());
    Map<String, double[]> cuda = DtypeAgreementTests.run(router, dtype, TestDevice.cuda());
    assertThat(cuda.keySet()).isEqualTo(cpu.keySet());
    cuda.forEach(
        (name, values) ->
            Numbers.assertClose(
                router + " in " + dtype + ", " + name + ", seed " + SEED,
                values,
                cpu.getOrDefault(name, new double[0]),
                name.equals("gradient of input 0") ? inputTolerance : 5e-5));
    DtypeAgreementTests.run(router, dtype, TestDevice.cuda())
        .forEach(
            (name, values) -> assertThat(values).as(name + " again").isEqualTo(cuda.get(name)));
  }

  private static void setUp(Model model, Bench bench) {
    RouterRule rule = model.rule();
    int experts = rule.experts();
    Parameter weight = bench.parameter("w", experts, 256);
    Copies.into(weight.value(), bench.random().normal(experts, 256));
    Copies.into(weight.value(), scaled(weight.value()));
    bench.input(bench.random().normal(120, 256));
    Tensor bias =
        model == Model.V3 ? Copies.cast(bench.random().normal(experts), Dtype.FLOAT32) : null;
    BalanceLoss balance = new BalanceLoss(0.5, 40);
    bench.computing((tape, in) -> tape.applyAll(new Router(weight, rule, bias, balance), in[0]));
  }

  /** So that logits are of order one. */
  private static Tensor scaled(Tensor weight) {
    return Elementwise.mul(weight, 1.0 / 16);
  }
}
