package dev.duoka.engine.function;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.DryRunDevice;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class AttentionPlansTests {
  private static final Device GPU = Device.cuda(0);

  /**
   * Query, key and value {@code [2, 4, 64, 32]} of rows that hold all three, as models have them.
   */
  private static void attend(Device device, Dtype dtype, boolean gradients) {
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor joint = Tensors.zeros(dtype, device, 2, 64, 3, 4, 32);
      Tensor[] qkv = new Tensor[3];
      for (int i = 0; i < qkv.length; i++) {
        qkv[i] =
            Views.transpose(
                Views.strided(
                    Views.reshape(joint, joint.elements()),
                    new long[] {2, 64, 4, 32},
                    new long[] {64 * 3 * 128, 3 * 128, 32, 1}),
                1,
                2);
      }
      AttentionKernel kernel = Attention.kernel(qkv[0], qkv[1], qkv[2]);
      Tensor[] results = kernel.forward(qkv[0], qkv[1], qkv[2], true, 0.2);
      if (gradients) {
        Tensor gradient = Views.transpose(Tensors.zeros(dtype, device, 2, 64, 4, 32), 1, 2);
        kernel.backward(gradient, qkv[0], qkv[1], qkv[2], results, true, 0.2);
      }
    }
  }

  private static AttentionPlans dryRun(Dtype dtype, boolean gradients) {
    return DryRunDevice.of(
        GPU, () -> AttentionPlans.of(() -> attend(Device.META, dtype, gradients)));
  }

  @Test
  void aDryRunTellsShapesAndLayouts() {
    AttentionPlans plans = dryRun(Dtype.BFLOAT16, true);
    assertThat(plans.toString())
        .containsOnlyOnce("query=")
        .contains("shape=[2, 4, 64, 32], strides=[24576, 32, 384, 1]") // of the joint rows
        .contains(
            "Optional[Backward[output=Strided[dtype=bfloat16, shape=[2, 4, 64, 32],"
                + " strides=[8192, 32, 128, 1]]",
            "gradient=Strided[dtype=bfloat16, shape=[2, 4, 64, 32], strides=[8192, 32, 128, 1]]");
    assertThat(plans).isEqualTo(dryRun(Dtype.BFLOAT16, true));
    assertThat(plans).isNotEqualTo(dryRun(Dtype.BFLOAT16, false));
    assertThat(plans).isNotEqualTo(dryRun(Dtype.FLOAT16, true));
  }

  /** cuDNN's output lies as the query does, and the plan of what comes back is made for that. */
  @Test
  void aDryRunLaysTheOutputOutAsTheQuery() {
    String plans =
        DryRunDevice.of(
                GPU,
                () ->
                    AttentionPlans.of(
                        () -> {
                          try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
                            Tensor heads = Tensors.empty(Dtype.BFLOAT16, Device.META, 2, 4, 64, 32);
                            AttentionKernel kernel = Attention.kernel(heads, heads, heads);
                            kernel.backward(
                                heads,
                                heads,
                                heads,
                                heads,
                                kernel.forward(heads, heads, heads, true, 1),
                                true,
                                1);
                          }
                        }))
            .toString();
    assertThat(plans)
        .contains(
            "output=Strided[dtype=bfloat16, shape=[2, 4, 64, 32], strides=[8192, 2048, 32, 1]]");
  }

  @Test
  void nothingIsPlannedForWhatOtherKernelsCompute() {
    assertThat(dryRun(Dtype.FLOAT32, true)).hasToString("{}");
    assertThat(AttentionPlans.of(() -> attend(Device.CPU, Dtype.FLOAT32, false))).hasToString("{}");
    dryRun(Dtype.BFLOAT16, true).make(Device.CPU); // asks nobody
  }

  @Test
  @Tag("cuda")
  void aRealStepAsksForWhatTheDryRunSaid() {
    Device device = TestDevice.cuda();
    AttentionPlans said = dryRun(Dtype.BFLOAT16, true);
    said.make(device);
    AttentionPlans made = AttentionPlans.of(() -> said.make(device));
    AttentionPlans real = AttentionPlans.of(() -> attend(device, Dtype.BFLOAT16, true));
    assertThat(made).isEqualTo(said);
    assertThat(real).isEqualTo(said);
  }

  /**
   * LibTorch finds a plan by query, key and value alone: what is computed with an output that lies
   * otherwise than the first is the same all the same.
   */
  @Test
  @Tag("cuda")
  void aPlanForOneLayoutDoesNotMisreadAnother() {
    Device device = TestDevice.cuda();
    Inputs inputs = new Inputs(3, Dtype.BFLOAT16, device);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      Tensor query = inputs.normal(2, 4, 64, 32);
      Tensor key = inputs.normal(2, 4, 64, 32);
      Tensor value = inputs.normal(2, 4, 64, 32);
      Tensor gradient = inputs.normal(2, 4, 64, 32);
      AttentionKernel kernel = Attention.kernel(query, key, value);
      assertThat(kernel).isEqualTo(AttentionKernel.CUDNN);
      Tensor[] results = kernel.forward(query, key, value, true, 0.2);
      Tensor[] first = kernel.backward(gradient, query, key, value, results, true, 0.2);
      Tensor[] turned = results.clone();
      turned[0] = byToken(results[0]);
      assertThat(turned[0].strides()).isNotEqualTo(results[0].strides());
      Tensor[] second = kernel.backward(gradient, query, key, value, turned, true, 0.2);
      Tensor[] third = kernel.backward(byToken(gradient), query, key, value, results, true, 0.2);
      for (int i = 0; i < first.length; i++) {
        double[] expected = HostCopy.doubles(Views.dense(first[i]));
        Numbers.assertClose("output", HostCopy.doubles(Views.dense(second[i])), expected, 1e-2);
        Numbers.assertClose("gradient", HostCopy.doubles(Views.dense(third[i])), expected, 1e-2);
      }
    }
  }

  /** The same values, with the heads of a token side by side. */
  private static Tensor byToken(Tensor heads) {
    return Views.transpose(Views.dense(Views.transpose(heads, 1, 2)), 1, 2);
  }
}
