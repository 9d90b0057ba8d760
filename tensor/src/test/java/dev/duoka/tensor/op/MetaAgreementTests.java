package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryLedger;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A dry run sees the shapes, dtypes and bytes of a real one: operator by operator. */
class MetaAgreementTests {
  private static final long SEED = 90;

  /** What a dry run never calls: it reads data, needs a GPU, or stands in for such a kernel. */
  private static final Set<String> NOT_FOR_META =
      Set.of(
          "Views.addressOf",
          "Tensors.emptyPinned",
          "Products.outerInto", // CUDA only; on meta it has neither temporaries nor a result
          "Products.wideTransposedB", // CUDA only
          "Activations.rmsNormBackward",
          "AttentionKernels.flashCpu",
          "AttentionKernels.flashCpuBackward",
          "AttentionKernels.cudnn",
          "AttentionKernels.cudnnBackward",
          "AttentionKernels.flash",
          "AttentionKernels.flashBackward",
          "AttentionKernels.shapesOnly");

  static List<OperatorCase> cases() {
    return OperatorTable.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void sameShapesAndDtypesAsOnTheCpu(OperatorCase operator) {
    for (Dtype dtype : operator.dtypes()) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        List<String> cpu = describe(operator.body().run(new Inputs(SEED, dtype, Device.CPU)));
        List<String> meta = describe(operator.body().run(new Inputs(SEED, dtype, Device.META)));
        assertThat(meta).isEqualTo(cpu.stream().map(s -> s.replace("@cpu", "@meta")).toList());
      }
    }
  }

  private static List<String> describe(Tensor[] results) {
    List<String> text = new ArrayList<>();
    for (Tensor result : results) {
      text.add(result.toString());
    }
    return text;
  }

  /** From the last of the inputs on, which come from the host, the same bytes are booked. */
  @ParameterizedTest
  @MethodSource("cases")
  void samePeakAsOnTheCpu(OperatorCase operator) {
    for (Dtype dtype : operator.dtypes()) {
      assertThat(peak(operator, dtype, Device.META))
          .as(operator + " of " + dtype)
          .isEqualTo(peak(operator, dtype, Device.CPU));
    }
  }

  private static long peak(OperatorCase operator, Dtype dtype, Device device) {
    MemoryLedger ledger = MemoryLedger.of(device);
    try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
      long before = ledger.liveBytes();
      ledger.resetPeak();
      operator.body().run(new Inputs(SEED, dtype, device, ledger::resetPeak));
      return ledger.peakBytes() - before;
    }
  }

  @Test
  void theTableHasEveryOperator() {
    Set<String> operators = new TreeSet<>();
    for (Class<?> family :
        List.of(
            Activations.class,
            AttentionKernels.class,
            Bits.class,
            Copies.class,
            Elementwise.class,
            GroupedProducts.class,
            Indexing.class,
            OptimizerKernels.class,
            Products.class,
            Reductions.class,
            Tensors.class,
            Views.class)) {
      for (Method method : family.getDeclaredMethods()) {
        if (Modifier.isPublic(method.getModifiers())) {
          operators.add(family.getSimpleName() + "." + method.getName());
        }
      }
    }
    operators.removeAll(NOT_FOR_META);
    Set<String> inTable = new TreeSet<>();
    cases().forEach(operator -> inTable.add(operator.operator()));
    assertThat(inTable).isEqualTo(operators);
  }
}
