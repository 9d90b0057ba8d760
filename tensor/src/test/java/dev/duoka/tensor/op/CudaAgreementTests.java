package dev.duoka.tensor.op;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.testing.Inputs;
import dev.duoka.tensor.testing.Numbers;
import dev.duoka.tensor.testing.TestDevice;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operator gives the same numbers on the CPU and on a GPU. */
@Tag("cuda")
class CudaAgreementTests {
  private static final long SEED = 91;

  static List<OperatorCase> cases() {
    return OperatorTable.cases();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void cpuAndCudaAgree(OperatorCase operator) {
    for (Dtype dtype : operator.dtypes()) {
      try (Scope _ = Scope.open(MemoryOwner.TEMPORARIES)) {
        Tensor[] cpu = operator.body().run(new Inputs(SEED, dtype, Device.CPU));
        Tensor[] cuda = operator.body().run(new Inputs(SEED, dtype, TestDevice.cuda()));
        assertThat(cuda).hasSameSizeAs(cpu);
        for (int i = 0; i < cpu.length; i++) {
          assertThat(cuda[i].device()).isEqualTo(TestDevice.cuda());
          assertThat(cuda[i].dtype()).isEqualTo(cpu[i].dtype());
          assertThat(cuda[i].shape()).isEqualTo(cpu[i].shape());
          Numbers.assertClose(
              operator + " of " + dtype + ", result " + i + ", seed " + SEED,
              HostCopy.doubles(cuda[i]),
              HostCopy.doubles(cpu[i]),
              tolerance(dtype));
        }
      }
    }
  }

  private static double tolerance(Dtype dtype) {
    return switch (dtype) {
      case FLOAT64 -> 1e-10;
      case FLOAT32 -> 1e-4;
      case BFLOAT16 -> 2e-2;
      case FLOAT16 -> 1e-2;
      case FLOAT8_E4M3 -> 6e-2;
      case INT64, INT32, INT16, UINT8, BOOL -> 0;
    };
  }
}
